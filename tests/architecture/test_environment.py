"""The environment is what the lock says: a poisoned release has come with a .pth file and a version number before."""

from __future__ import annotations

import importlib.metadata
import re
import sysconfig
from pathlib import Path
from typing import Any

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# What a .pth may hold, by name: every line of it is executed or put on the path at each start of Python.
DISTUTILS = (
    "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; "
    "enabled and __import__('_distutils_hack').add_shim();"
)
KNOWN = {"distutils-precedence.pth": {DISTUTILS}, "_virtualenv.pth": {"import _virtualenv"}}
OWN = "_tierwise.pth"
POISONED = {"1.82.7", "1.82.8"}
ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>[^ ;\\]+)(?P<rest>[^\\]*)")


def _site_packages() -> set[Path]:
    return {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}


def _unexpected(folder: Path, own: set[str]) -> list[str]:
    wrong = []
    for path in sorted(folder.glob("*.pth")):
        lines = {line.strip() for line in path.read_text().splitlines() if line.strip()}
        if not lines <= (own if path.name == OWN else KNOWN.get(path.name, set())):
            wrong.append(path.name)
    return wrong + [path.name for path in folder.glob("*customize.py")]


def test_no_unexpected_code_runs_at_start(root: Path) -> None:
    own = {str(root / "worker"), str(root / "connectors")}
    for folder in _site_packages():
        assert not _unexpected(folder, own), f"unknown start-up code in {folder}: rebuild the environment"


def test_a_stray_pth_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "litellm_init.pth").write_text("import os; os.system('true')\n")
    (tmp_path / "distutils-precedence.pth").write_text(f"{DISTUTILS}\nimport evil\n")
    (tmp_path / OWN).write_text("/somewhere/else\n")
    (tmp_path / "sitecustomize.py").write_text("")
    assert _unexpected(tmp_path, {"/here/worker"}) == [
        OWN,
        "distutils-precedence.pth",
        "litellm_init.pth",
        "sitecustomize.py",
    ]


def test_litellm_is_the_one_that_was_looked_at(project: dict[str, Any]) -> None:
    pins = [r for r in map(Requirement, project["project"]["dependencies"]) if canonicalize_name(r.name) == "litellm"]
    (specifier,) = pins[0].specifier
    assert specifier.operator == "=="
    assert not pins[0].extras, "the SDK alone: the proxy brings a server and its dependencies"
    assert importlib.metadata.version("litellm") == specifier.version
    assert specifier.version not in POISONED


def _entries(text: str) -> list[str]:
    """The logical lines of a requirements file, without comments."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return [entry.strip() for entry in "\n".join(lines).replace("\\\n", " ").splitlines() if entry.strip()]


def _faults(text: str) -> list[str]:
    """What is wrong with a lock file, by entry."""
    faults = []
    for entry in _entries(text):
        if not ENTRY.match(entry):
            faults.append(f"not a pinned release: {entry[:60]}")
        elif not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry):
            faults.append(f"no hash: {entry[:60]}")
    if re.search(r"https?://|--(extra-)?index-url|--find-links|--trusted-host", text):
        faults.append("names an address")
    return faults


def test_lock_has_hashes_and_no_address(root: Path) -> None:
    text = (root / "requirements.lock").read_text()
    assert len(_entries(text)) > 50
    assert not _faults(text)


def test_a_weak_lock_is_noticed() -> None:
    good = "a==1 \\\n    --hash=sha256:" + "0" * 64 + "\n    # via b\n"
    assert not _faults(good)
    assert _faults("a==1\n") == ["no hash: a==1"]
    assert _faults("a>=1 --hash=sha256:" + "0" * 64) != []
    assert _faults("--index-url https://example.com/simple\n" + good) != []


def test_lock_covers_every_dependency(root: Path, project: dict[str, Any]) -> None:
    locked: dict[str, list[str]] = {}
    for entry in _entries((root / "requirements.lock").read_text()):
        found = ENTRY.match(entry)
        assert found
        locked.setdefault(canonicalize_name(found["name"]), []).append(found["version"])
    wanted = project["project"]["dependencies"] + project["project"]["optional-dependencies"]["dev"]
    for requirement in map(Requirement, wanted):
        versions = locked.get(canonicalize_name(requirement.name), [])
        assert any(requirement.specifier.contains(v, prereleases=True) for v in versions), f"{requirement}: make lock"


def test_what_is_installed_is_what_is_locked(root: Path) -> None:
    environment = {key: str(value) for key, value in default_environment().items()}
    wrong = []
    for entry in _entries((root / "requirements.lock").read_text()):
        requirement = Requirement(entry.split(" --hash")[0].strip())
        if requirement.marker is not None and not requirement.marker.evaluate(environment):
            continue
        try:
            installed = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{requirement} is missing")
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            wrong.append(f"{requirement}, but {installed} is installed")
    assert not wrong, f"make setup: {wrong}"
