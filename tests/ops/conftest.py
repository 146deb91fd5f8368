"""docker-compose.yml as docker compose reads it: merged, with the variables of .env.example filled in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<text>[^}]*))?\}")


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def dotenv(root: Path) -> dict[str, str]:
    """Variables of .env.example, those that are commented out left out."""
    lines = (root / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.fixture(scope="session")
def raw(root: Path) -> Any:
    """The file with anchors merged and variables as they are written."""
    return YAML(typ="safe").load(root / "docker-compose.yml")


@pytest.fixture(scope="session")
def compose(raw: Any, dotenv: dict[str, str]) -> Any:
    """The file as it is run after POSTGRES_PASSWORD was filled in."""
    return fill(raw, {**dotenv, "POSTGRES_PASSWORD": "letters0and9digits"})


def fill(value: Any, variables: dict[str, str]) -> Any:
    """`${NAME}`, `${NAME:-default}` and `${NAME:?required}` replaced everywhere."""
    if isinstance(value, dict):
        return {key: fill(inner, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [fill(inner, variables) for inner in value]
    if not isinstance(value, str):
        return value

    def one(found: re.Match[str]) -> str:
        given = variables.get(found["name"], "")
        if not given and found["kind"] != "-":
            raise AssertionError(f"{found['name']} has no value: {found['text']}")
        return given or found["text"]

    return VARIABLE.sub(one, value)
