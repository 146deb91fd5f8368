"""The image: pinned, without root, and without what only tests need."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def steps(root: Path) -> list[tuple[str, str]]:
    """Instructions with their arguments, continued lines joined."""
    text = re.sub(r"\\\n", " ", (root / "Dockerfile").read_text())
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def _last_stage(steps: list[tuple[str, str]]) -> list[tuple[str, str]]:
    begin = max(index for index, (word, _) in enumerate(steps) if word == "FROM")
    return steps[begin:]


def test_the_base_image_is_pinned_by_a_tag(steps: list[tuple[str, str]]) -> None:
    arguments = dict(rest.split("=", 1) for word, rest in steps if word == "ARG")
    bases = [rest.split()[0] for word, rest in steps if word == "FROM"]
    assert len(bases) == 2
    for base in bases:
        image = arguments[base.strip("${}")] if base.startswith("$") else base
        assert re.fullmatch(r"python:3\.(11|12|13)-slim-\w+", image)


def test_everything_is_installed_by_hash(steps: list[tuple[str, str]]) -> None:
    installs = [part for word, rest in steps if word == "RUN" for part in rest.split("&&") if "pip install" in part]
    assert installs
    for install in installs:
        assert "--require-hashes" in install or "--no-index" in install, install


def test_it_runs_as_nobody_in_particular(steps: list[tuple[str, str]]) -> None:
    last = _last_stage(steps)
    users = [rest for word, rest in last if word == "USER"]
    assert users == ["10001:10001"]
    after = last[last.index(("USER", "10001:10001")) :]
    assert not [word for word, _ in after if word in {"RUN", "COPY", "ADD"}]


def test_it_has_a_health_check_and_an_entry_point(steps: list[tuple[str, str]]) -> None:
    last = dict(_last_stage(steps))
    assert "/healthz" in last["HEALTHCHECK"]
    assert last["ENTRYPOINT"] == '["tierwise"]'
    assert last["CMD"] == '["run"]'
    assert "LITELLM_LOCAL_MODEL_COST_MAP=True" in last["ENV"]


def test_what_is_copied_exists_and_is_let_through(steps: list[tuple[str, str]], root: Path) -> None:
    allowed = {
        line.removeprefix("!") for line in (root / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    copied = [source for word, rest in steps if word == "COPY" and "--from" not in rest for source in rest.split()[:-1]]
    assert set(copied) == allowed
    for source in copied:
        assert (root / source).exists(), source


def test_no_secret_can_come_into_the_image(root: Path) -> None:
    lines = (root / ".dockerignore").read_text().splitlines()
    assert "*" in lines, "everything is left out but for what is named"
    assert not [line for line in lines if line.startswith("!") and (".env" in line or "tierwise.toml" in line)]
