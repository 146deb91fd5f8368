"""ops/ci/sfdx: Salesforce's own converter is pinned to the byte, and passes the folder where it is installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CI = ROOT / ".ci" / "sfdx"
FOLDER = ROOT / "ops" / "ci" / "sfdx"
NODE = shutil.which("node")


def _lock() -> dict[str, Any]:
    found = json.loads((FOLDER / "package-lock.json").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_every_package_is_pinned_by_version_and_hash() -> None:
    wanted = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    for version in (*wanted["dependencies"].values(), *wanted["overrides"].values()):
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    packages = {name: held for name, held in _lock()["packages"].items() if name}
    assert len(packages) > 100
    assert [name for name, held in packages.items() if not held.get("integrity")] == []
    name, version = next(iter(wanted["dependencies"].items()))
    assert packages[f"node_modules/{name}"]["version"] == version


def test_the_lock_names_no_registry() -> None:
    """Whoever installs it asks the registry of their own settings."""
    assert "resolved" not in (FOLDER / "package-lock.json").read_text(encoding="utf-8")


@pytest.mark.skipif(not NODE or not (FOLDER / "node_modules").is_dir(), reason="needs `npm ci` in ops/ci/sfdx")
@pytest.mark.parametrize("spoil", ["", "force-app/main/default/objects/Lead/Odd.strange-meta.xml"])
def test_salesforces_converter_takes_the_folder_and_no_other(tmp_path: Path, spoil: str) -> None:
    folder = tmp_path / "salesforce"
    shutil.copytree(ROOT / "ops" / "salesforce", folder)
    if spoil:
        (folder / spoil).write_text("<x/>")
    assert NODE is not None
    done = subprocess.run(
        [NODE, "check.mjs", str(folder)], cwd=FOLDER, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode == 0) == (not spoil), done.stderr
    if not spoil:
        told = json.loads(done.stdout)
        assert told["files"] == len(list(folder.rglob("*-meta.xml")))


def _machine(folder: Path, **programs: str) -> dict[str, str]:
    """An environment with these programs, as shell lines, and what every machine has."""
    for name in ("bash", "sed", "grep", "dirname"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    for name, line in {"rm": "exit 0", **programs}.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    return {"PATH": str(folder)}


def _old(version: str) -> str:
    return f"check-sfdx: skipped: node {version} is too old, it needs 20.18.1"


def _npm(install: str = "exit 0", check: str = "exit 0") -> str:
    return f'case "$1" in ci) {install};; run) {check};; *) echo 11;; esac'


@pytest.mark.parametrize(
    ("programs", "code", "last"),
    [
        ({}, 0, "check-sfdx: skipped: no node"),
        ({"node": "echo v20.1.0"}, 0, "check-sfdx: skipped: no node"),
        ({"node": "echo v18.2.0", "npm": _npm()}, 0, _old("18.2.0")),
        ({"node": "echo v20.18.0", "npm": _npm()}, 0, _old("20.18.0")),
        ({"node": "echo v20.18.1", "npm": _npm(check="echo fine")}, 0, "fine"),
        *(
            (
                {"node": "echo v22.2.0", "npm": _npm(install=f"echo npm error code {said} >&2; exit 1")},
                0,
                "check-sfdx: skipped: its packages cannot be had from npm here",
            )
            for said in ("ENOTFOUND", "SELF_SIGNED_CERT_IN_CHAIN", "ETARGET")
        ),
        (
            {"node": "echo v22.2.0", "npm": _npm(install="echo npm error code EINTEGRITY >&2; exit 2")},
            2,
            "npm error code EINTEGRITY",
        ),
        (
            {"node": "echo v22.2.0", "npm": _npm(check="echo a field is wrong; exit 1")},
            1,
            "a field is wrong",
        ),
    ],
)
def test_ci_says_what_it_skips_and_fails_for_what_is_wrong(
    tmp_path: Path, programs: dict[str, str], code: int, last: str
) -> None:
    done = subprocess.run(
        [str(CI)], env=_machine(tmp_path, **programs), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (code, last), done.stderr


def test_ci_runs_it() -> None:
    assert "timed .ci/sfdx" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
