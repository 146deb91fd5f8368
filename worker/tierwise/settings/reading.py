"""Reads environment and `tierwise.toml` into `Settings`; every mistake becomes one Misconfigured with its place.

Nothing is created or connected here.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tierwise import errors
from tierwise.settings import faults, names, places
from tierwise.settings.model import NAMED, Settings
from tierwise.settings.section import Section

DEFAULT_FILE = Path("tierwise.toml")
_NOT_OURS = (names.CONFIG, "TIERWISE_TEST_")
"""Where the file is, and what the project's own tests are told."""
# A cluster injects TIERWISE_CONSOLE_PORT=tcp://... for a service of that name: not ours, though it looks it.
_INJECTED_NAME = re.compile(r"_SERVICE_(HOST|PORT\w*)$|_PORT_\d+_(TCP|UDP)\w*$")
_INJECTED_VALUE = re.compile(r"(tcp|udp)://")


def load(config: Path | None = None, *, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. `config` wins over TIERWISE_CONFIG over ./tierwise.toml. Raises Misconfigured."""
    environ = os.environ if environ is None else environ
    file = _file(config, environ)
    text, data = _read(file) if file is not None else ("", {})
    origins: dict[names.Path, str] = {path: str(file) for path, _ in places.leaves(data)}
    for variable, path, value in _variables(environ):
        found = _put(data, path, value)
        if found is not None:
            origins[found] = variable
    sources = faults.Sources(file=file, text=text, origins=origins)
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        # Not chained: pydantic's own text repeats the input, which may be a secret.
        raise faults.translate(error, sources=sources) from None
    settings._file = file
    settings._origins = sources.located()
    return settings


def variables() -> Iterator[names.Path]:
    """Path of every setting but those of connections and enrichers, whose names are free."""
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            yield from ((name, key) for key in section.model_fields)
        elif name not in NAMED:
            yield (name,)


def usual_file() -> Path:
    """The file that `load` reads where none is given, whether it exists or not."""
    return Path(os.environ.get(names.CONFIG) or DEFAULT_FILE).expanduser().absolute()


def _file(config: Path | None, environ: Mapping[str, str]) -> Path | None:
    given = config or (Path(environ[names.CONFIG]) if environ.get(names.CONFIG) else None)
    if given is None:
        return DEFAULT_FILE.absolute() if DEFAULT_FILE.is_file() else None
    given = given.expanduser().absolute()
    if not given.is_file():
        raise errors.Misconfigured(
            "there is no such settings file",
            place=str(given),
            remedy=f"tierwise init writes one; or correct {'--config' if config else names.CONFIG}",
        )
    return given


def _read(file: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise faults.bad_toml(str(error), file=file, text=text) from None
    except UnicodeDecodeError:
        raise errors.Misconfigured("is not UTF-8 text", place=str(file), remedy="save it as UTF-8") from None
    except OSError as error:
        raise errors.Misconfigured(
            f"cannot be read: {error.strerror}", place=str(file), remedy="make it readable for this user"
        ) from None
    _anchor(data, file.parent)
    return text, _given(data)


def _given(data: dict[str, Any]) -> dict[str, Any]:
    """Without empty strings: `broker_url = ""` says "none", like an empty variable of the environment."""
    return {key: _given(value) if isinstance(value, dict) else value for key, value in data.items() if value != ""}


def _anchor(data: dict[str, Any], folder: Path) -> None:
    """Paths in the file are relative to the file, wherever the process was started."""
    tables = [table for name in NAMED if isinstance(data.get(name), dict) for table in data[name].values()]
    for table, keys in [(data, ("home", "policy_dir")), *((table, ("token_file",)) for table in tables)]:
        for key in keys:
            if isinstance(table, dict) and isinstance(table.get(key), str) and table[key]:
                table[key] = str(folder / Path(table[key]).expanduser())


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[str, names.Path, str]]:
    """Variables that are set and ours. Raises Misconfigured for a misspelt one."""
    known = {names.variable(path): path for path in variables()}
    sections = sorted({path[0] for path in known.values() if path[1:]} | {*NAMED})
    for variable, value in sorted(environ.items()):
        if not variable.startswith(names.PREFIX) or variable.startswith(_NOT_OURS) or not value:
            continue
        section, *rest = variable.removeprefix(names.PREFIX).lower().split("__")
        if variable in known:
            yield variable, known[variable], value
        elif section in NAMED and len(rest) == 2 and all(rest):
            yield variable, (section, *rest), value
        elif not _INJECTED_NAME.search(variable) and not _INJECTED_VALUE.match(value):
            meant = names.closest(variable.lower(), [name.lower() for name in known], cutoff=0.85)
            if section in NAMED:
                remedy = f"the form is TIERWISE_{section.upper()}__NAME__KEY"
            elif meant is not None:
                remedy = f"did you mean {meant.upper()}?"
            elif rest or section in sections:
                remedy = f"the form is TIERWISE_SECTION__KEY, and the sections are {', '.join(sections)}"
            else:
                continue  # somebody else's, such as a variable of a wrapper script
            raise errors.Misconfigured("unknown setting", place=variable, remedy=remedy)


def _put(data: dict[str, Any], path: names.Path, value: str) -> names.Path | None:
    """Set the value over what the file says; returns the path with the connection's name as the file spells it."""
    table = data
    done: names.Path = ()
    for depth, part in enumerate(path[:-1]):
        key = part
        if depth == 1 and path[0] in NAMED:
            key = next((name for name in table if names.same(name, part)), part)
        table = table.setdefault(key, {})
        done = (*done, key)
        if not isinstance(table, dict):
            return None  # the file has a plain value there, and that is the fault to report
    if path[0] in NAMED and path[2] not in NAMED[path[0]].model_fields:
        options = table.get("options")
        if isinstance(options, dict) and path[2] in options:
            table, done = options, (*done, "options")
    table[path[-1]] = value
    return (*done, path[-1])
