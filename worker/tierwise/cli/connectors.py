"""Connectors: which are installed, and a new one to begin with."""

from __future__ import annotations

import re
import string
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from tierwise import __version__, plugins
from tierwise.cli import output
from tierwise.errors import Misconfigured
from tierwise.sdk import ConnectorType

app = typer.Typer(no_args_is_help=True, help="Kinds of system: list what is installed, begin a new one.")

_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
# Template -> where it goes in the new package.
_FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "plugin.py": "$module/__init__.py",
    "connector.py": "$module/connector.py",
    "test_contract.py": "tests/test_contract.py",
    "map.yaml": "maps/$name.yaml",
}


@app.command("list")
def list_(json: output.Json = False) -> None:
    """Every installed connector, the package it comes from, and its options."""
    found = [(one.kind, one) for one in plugins.installed().installed() if isinstance(one.kind, ConnectorType)]
    if json:
        output.print_json(
            [
                {
                    "name": kind.name,
                    "summary": kind.summary,
                    "package": one.distribution,
                    "version": one.version,
                    "needs_token": kind.needs_token,
                    "options": {name: field.description for name, field in kind.settings.model_fields.items()},
                }
                for kind, one in found
            ]
        )
        return
    output.table(
        "Connectors",
        ["name", "what it connects", "package", "options"],
        [
            [kind.name, kind.summary, f"{one.distribution} {one.version}", ", ".join(kind.settings.model_fields)]
            for kind, one in found
        ],
    )


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the new type: small letters, digits and dashes.")],
    directory: Annotated[Path, typer.Option("--in", help="Where to put the package's folder.")] = Path(),
) -> None:
    """Write a working package: connector, plugin, map, and the test that proves the contract."""
    if not _NAME.fullmatch(name) or len(name) > 40:
        raise Misconfigured(f"'{name}' is no name for a connector", remedy="small letters, digits and dashes: acme-crm")
    plain = name.replace("-", "_")
    if plain in plugins.connector_types():
        raise Misconfigured(f"there is a connector type '{plain}' already", remedy="choose another name")
    words = plain.split("_")
    values = {
        "name": plain,
        "dashed": plain.replace("_", "-"),
        "module": f"tierwise_{plain}",
        "class_": "".join(word.capitalize() for word in words),
        "title": " ".join(word.capitalize() for word in words),
        "tierwise": __version__,
    }
    target = directory / f"tierwise-{values['dashed']}"
    templates = resources.files("tierwise.cli") / "templates" / "connector"
    try:
        target.mkdir(parents=True)
        for template, place in _FILES.items():
            path = target / string.Template(place).substitute(values)
            path.parent.mkdir(parents=True, exist_ok=True)
            text = (templates / f"{template}.tmpl").read_text(encoding="utf-8")
            path.write_text(string.Template(text).substitute(values), encoding="utf-8")
    except FileExistsError:
        raise Misconfigured("is there already", place=str(target), remedy="move it, or choose another name") from None
    except OSError as error:
        raise Misconfigured(f"cannot be written: {error.strerror}", place=str(target)) from None
    output.say(f"wrote {target}")
    output.say(f"next: pip install -e {target} && pytest {target}")
