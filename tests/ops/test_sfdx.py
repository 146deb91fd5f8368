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
