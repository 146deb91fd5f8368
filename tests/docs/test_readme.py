"""What README and the other pages tell a reader to type exists, and what they point to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tierwise import cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "SECURITY.md", "CHANGELOG.md")
WORDS = re.compile(r"\btierwise((?: [a-z][a-z-]*){1,2})")
NOT_COMMANDS = {"is", "fields", "imports", "are"}


def _commands() -> set[tuple[str, ...]]:
    found = set()
    for page in PAGES:
        text = (ROOT / page).read_text()
        code = re.findall(r"```\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text)
        for block in code:
            for match in WORDS.finditer(block):
                words = tuple(match[1].split())
                if words[0] not in NOT_COMMANDS:
                    found.add(words)
    return found


def test_every_command_that_is_told_exists(capsys: pytest.CaptureFixture[str]) -> None:
    commands = _commands()
    assert len(commands) > 10
    for words in sorted(commands):
        # The second word may be an argument (`tierwise poll portal`).
        codes = [cli.run([*words[:length], "--help"]) for length in (len(words), 1) if length <= len(words)]
        capsys.readouterr()
        assert 0 in codes[:1] or codes[-1] == 0, words


def test_groups_are_named_with_a_command_of_theirs(capsys: pytest.CaptureFixture[str]) -> None:
    for words in sorted(_commands()):
        if words[0] in {"connections", "policy", "review", "config", "db"} and len(words) > 1:
            assert cli.run([*words, "--help"]) == 0, words
    capsys.readouterr()


@pytest.mark.parametrize("page", PAGES)
def test_links_and_files_are_there(page: str) -> None:
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / target).exists(), f"{page} points to {target}"


def test_the_readme_fits_on_a_few_screens() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 150


def test_make_has_what_the_pages_name() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        word for page in PAGES for word in re.findall(r"`make ([a-z-]+)", (ROOT / page).read_text())
    }  # fmt: skip
    assert named <= targets
