"""Where the policy files are: the setting, else the copy that ships in the wheel, else this checkout.

It knows file names only; what stands in the files is read by `policies`.
"""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

from tierwise.errors import Misconfigured

FOLDERS = ("prompts", "rules")
_PROMPT = Path("prompts/qualify.md")
_SUFFIXES = frozenset({".md", ".yaml", ".json"})


def find(setting: Path | None) -> Path:
    """The directory that holds `prompts/` and `rules/`. Raises Misconfigured where the setting names none."""
    if setting is not None:
        directory = setting.expanduser()
        if not (directory / _PROMPT).is_file():
            raise Misconfigured(
                f"there is no policy: {_PROMPT} is missing",
                place=str(directory),
                remedy="name a directory that holds prompts/ and rules/, or lay one out with tierwise init",
            )
        return directory
    return _shipped()


def lay_out(target: Path) -> list[Path]:
    """Copy the shipped policy under `target`; what is there already stays. Returns the files that were written."""
    source = _shipped()
    if target.exists() and not target.is_dir():
        raise Misconfigured("a file stands where a directory is needed", place=str(target))
    written = []
    for folder in FOLDERS:
        for path in sorted((source / folder).rglob("*")):
            destination = target / path.relative_to(source)
            if path.suffix not in _SUFFIXES or not path.is_file() or destination.exists():
                continue
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, destination)
            written.append(destination)
    return written


def texts(pattern: str) -> dict[str, str]:
    """Shipped files that match, by their path: `rules/maps/*.yaml`."""
    source = _shipped()
    return {path.relative_to(source).as_posix(): path.read_text(encoding="utf-8") for path in source.glob(pattern)}


def _shipped() -> Path:
    """The copy in the installed package; a checkout that is installed in place has its own files instead."""
    package = Path(str(resources.files("tierwise")))
    for directory in (package / "_content", package.parents[1]):
        if (directory / _PROMPT).is_file():
            return directory
    raise Misconfigured("the policy files that ship with Tierwise are missing", remedy="install Tierwise again")
