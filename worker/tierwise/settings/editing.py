"""Writes settings files: the commented example, and a new connection into a person's own file.

The person's comments, order and spacing stay; a token is written only on request, into a file closed to others.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from tomlkit.exceptions import ParseError

from tierwise import errors
from tierwise.settings import faults, names, reading
from tierwise.settings.model import NAMED, ConnectionSettings, EnricherSettings, Settings

_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]{0,48}[a-z0-9])?")


def render_example() -> str:
    """A settings file in which every setting stands as a comment with its meaning and default."""
    head = [
        "# Settings of Tierwise. Every line is optional: what is commented out shows the default.",
        "# The environment wins over this file: tick_seconds is TIERWISE_TICK_SECONDS, model.primary is",
        "# TIERWISE_MODEL__PRIMARY. `tierwise config show` tells where each value comes from.",
        "",
    ]
    sections: list[str] = []
    for name, field in Settings.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            sections += ["", f"# {(inner.__doc__ or '').splitlines()[0]}", f"[{name}]", *_fields(inner)]
        elif name not in NAMED:
            head += _entry(name, field)
    name = "hubspot-emea"
    sections += [
        "",
        "# One account of a CRM; the name is yours. The token belongs into the environment:",
        f"# {names.token_variable(name)}, or into a file named by token_file.",
        f"# [connections.{name}]",
        '# type = "hubspot"',
        *(
            line
            for key, field in ConnectionSettings.model_fields.items()
            if key in _OPTIONAL
            for line in _entry(key, field)
        ),
        "",
        "# What a model costs, US dollars per million tokens, where LiteLLM's price list does not know or is wrong.",
        '# [prices."openai/our-own"]',
        "# input = 0.5",
        "# output = 1.5",
        "",
        "# What knows more about a lead than the CRM does; asked in this order about fields that are empty.",
        "# [enrichers.country]",
        '# type = "phone_country"',
        *_entry("seconds", EnricherSettings.model_fields["seconds"]),
        "#",
        "# [enrichers.firms]",
        '# type = "http"',
        '# url = "https://firms.example.com/{company_domain}"',
        '# fields = { employee_count = "metrics.employees", industry = "sector" }',
        "",
        "# Who is told when a connection is paused or work cannot be done. The token (of slack: the webhook's address,",
        "# of email: the password, of webhook: the key that signs) belongs into the environment:",
        f"# {names.variable(('notifiers', 'ops', 'token'))}.",
        "# [notifiers.ops]",
        '# type = "slack"',
        '# events = ["connection_paused"]',
    ]
    return "\n".join([*head, *sections]) + "\n"


_OPTIONAL = ("token_file", "poll_seconds", "daily_budget_usd", "monthly_budget_usd")


def add_connection(
    path: Path | None, name: str, type_: str, options: Mapping[str, Any] | None = None, *, token: str | None = None
) -> Path:
    """Write `[connections.NAME]` into the file and return it; it is made when missing. Raises Misconfigured.

    None is the file that `load` would read. A token is written only when given: see `token_variable`.
    """
    path = path or reading.usual_file()
    if not _NAME.fullmatch(name):
        raise errors.Misconfigured(
            f"`{name}` is no name for a connection", remedy="use small letters, digits and dashes, such as hubspot-emea"
        )
    document = _parse(path)
    if "connections" not in document:
        document["connections"] = tomlkit.table(is_super_table=True)
    connections = document["connections"]
    if not isinstance(connections, MutableMapping):
        raise errors.Misconfigured("`connections` must be a table", place=str(path), remedy="write [connections.NAME]")
    twin = next((known for known in connections if names.same(known, name)), None)
    if twin is not None:
        raise errors.Misconfigured(
            f"connection `{twin}` is there already", place=str(path), remedy="choose another name"
        )
    table = tomlkit.table()
    table["type"] = type_
    for key, value in (options or {}).items():
        if value is not None:
            table[key] = value
    if token is not None:
        table["token"] = token
    connections[name] = table
    _replace(path, tomlkit.dumps(document), private=token is not None)
    return path


def _fields(section: type[BaseModel]) -> list[str]:
    return [line for key, field in section.model_fields.items() for line in _entry(key, field)]


def _entry(key: str, field: FieldInfo) -> list[str]:
    default = field.default
    if default is PydanticUndefined or default is None:
        value = '""'
    elif isinstance(default, Path):
        value = tomlkit.item(str(default)).as_string()
    else:
        value = tomlkit.item(list(default) if isinstance(default, tuple) else default).as_string()
    return [f"# {field.description}", f"# {key} = {value}"]


def _parse(path: Path) -> tomlkit.TOMLDocument:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return tomlkit.document()
    except UnicodeDecodeError:
        raise errors.Misconfigured("is not UTF-8 text", place=str(path), remedy="save it as UTF-8") from None
    except OSError as error:
        raise errors.Misconfigured(f"cannot be read: {error.strerror}", place=str(path)) from None
    try:
        return tomlkit.parse(text)
    except ParseError as error:
        raise faults.bad_toml(str(error), file=path, text=text) from None


def _replace(path: Path, text: str, *, private: bool) -> None:
    """All or nothing: a crash leaves the old file. Keeps its mode, closed to others where a secret is inside."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            os.chmod(temporary, mode & 0o600 if private else mode)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise errors.Misconfigured(
            f"cannot be written: {error.strerror}", place=str(path), remedy="choose a writable place with --config"
        ) from None
