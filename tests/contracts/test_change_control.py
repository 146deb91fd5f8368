"""A major change without the two approvals is activated by no interface, and each attempt is recorded."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tierwise import cli
from tierwise.cli import session
from tierwise.errors import Misconfigured


class House(NamedTuple):
    """An installation under change control, and files with a major change that nobody approved."""

    files: Path
    active: str
    major: str
    tokens: dict[str, str]


def command(*arguments: str) -> int:
    return cli.run([*arguments, "--json"])


@pytest.fixture
def house(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> House:
    files = tmp_path / "policy"
    for arguments in (["init", str(files)], ["db", "upgrade"], ["policy", "activate", str(files)]):
        assert cli.run(arguments) == 0
    capsys.readouterr()
    tokens = {}
    for name, roles in (("ada", ["admin", "ops", "revops"]), ("sam", ["sales"])):
        arguments = [part for role in roles for part in ("--role", role)]
        assert command("users", "add", name, *arguments) == 0
        tokens[name] = json.loads(capsys.readouterr().out)["token"]
        monkeypatch.setenv("TIERWISE_TOKEN", tokens["ada"])
    prompt = files / "prompts" / "qualify.md"
    prompt.write_text(prompt.read_text().replace("primary: offline/rules", "primary: openai/some-model", 1))
    assert command("policy", "publish", str(files)) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["change"] == "major"
    with session.opened() as parts:
        active = parts.store.policies.active()
        assert active is not None
        return House(files, active.digest, told["digest"], tokens)


def by_digest(house: House) -> int:
    return command("policy", "activate", house.major)


def by_directory(house: House) -> int:
    return command("policy", "activate", str(house.files))


def after_staging(house: House) -> int:
    assert command("policy", "stage", house.major) == 0
    return command("policy", "activate", house.major)


def with_one_approval(house: House) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIERWISE_TOKEN", house.tokens["sam"])
        assert command("policy", "approve", house.major, "--reason", "seen") == 0
    return command("policy", "activate", house.major)


def by_rolling_back_to_it(house: House) -> int:
    return command("policy", "rollback", "--to", house.major)


def by_rolling_back_to_what_is_staged(house: House) -> int:
    assert command("policy", "stage", house.major) == 0
    return command("policy", "rollback", "--to", house.major)


def by_replaying(house: House) -> int:
    return command("replay", "--policy", house.major, "--yes")


def without_a_token(house: House) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TIERWISE_TOKEN")
        return command("policy", "activate", house.major)


def with_a_token_of_nobody(house: House) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIERWISE_TOKEN", "tw_guessed")
        return command("policy", "activate", house.major)


def by_pulling_it(house: House) -> int:
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@acme.example", "-c", "commit.gpgsign=false", "-C"]
    for arguments in (["init", "--quiet"], ["add", "-A"], ["commit", "--quiet", "-m", "major"]):
        subprocess.run([*git, str(house.files), *arguments], check=True, timeout=30)
    assert command("policy", "pull", "--from", f"file://{house.files}") == 0
    return command("policy", "activate", house.major)


ATTEMPTS: tuple[Callable[[House], int], ...] = (
    by_digest, by_directory, after_staging, with_one_approval, by_rolling_back_to_it, by_rolling_back_to_what_is_staged,
    by_replaying, without_a_token, with_a_token_of_nobody, by_pulling_it,
)  # fmt: skip


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: str(attempt.__name__))
def test_no_interface_activates_it(house: House, attempt: Callable[[House], int]) -> None:
    with session.opened() as parts:
        before = {event.id for event in parts.store.admin_events.list() if event.refused}
    assert attempt(house) in {1, 2}
    with session.opened() as parts:
        assert parts.ensure_policy().digest == house.active
        assert parts.runnable().digest == house.active
        tried = [event for event in parts.store.admin_events.list() if event.refused and event.id not in before]
    assert len(tried) == 1, tried
    assert tried[0].subject in {f"policy {house.major}", "token"}


def test_a_configured_directory_that_changed_activates_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERWISE_POLICY_DIR", str(house.files))
    with session.opened() as parts:
        assert parts.ensure_policy().digest == house.active
        assert parts.runnable().digest == house.active
        assert len(parts.store.policies.history()) == 1


def test_what_is_staged_decides_nothing_where_people_must_approve(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is told to be a staging one, on production's database."""
    assert command("policy", "stage", house.major) == 0
    monkeypatch.setenv("TIERWISE_ENVIRONMENT", "staging")
    with session.opened() as parts, pytest.raises(Misconfigured, match="without the approvals"):
        parts.runnable()


def test_with_both_approvals_it_is_activated(house: House) -> None:
    """So that the attempts above fail for want of approvals and of nothing else."""
    assert command("users", "add", "ron", "--role", "revops") == 0
    with session.opened() as parts:
        for name in ("sam", "ron"):
            parts.store.policies.approve(house.major, by=name, reason="seen", now=parts.clock())
    assert command("policy", "activate", house.major) == 0
    with session.opened() as parts:
        assert parts.runnable().digest == house.major
