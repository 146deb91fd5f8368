"""A policy out of a git repository: what is taken, what is refused, and what is said when git cannot."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tierwise.errors import Misconfigured, Unreachable
from tierwise.policies import repository

Git = Callable[..., str]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    directory = tmp_path / "work"
    (directory / "prompts").mkdir(parents=True)
    (directory / "prompts" / "qualify.md").write_text("first")
    (directory / "README.md").write_text("not for us")
    return directory


@pytest.fixture
def git(work: Path) -> Git:
    """Git in the working copy, by a person of its own."""

    def run(*arguments: str) -> str:
        made = subprocess.run(
            ["git", "-c", "user.name=Ron Ops", "-c", "user.email=ron@acme.example", "-c", "commit.gpgsign=false",
             "-C", str(work), *arguments],
            check=True, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        return made.stdout.strip()

    run("init", "--quiet", "--initial-branch=main")
    run("add", "-A")
    run("commit", "--quiet", "-m", "the first policy")
    return run


def fetch(work: Path, into: Path, ref: str = "") -> repository.Origin:
    into.mkdir()
    return repository.fetch(repository.parse(f"file://{work}{ref}"), into)


def test_what_is_in_it_and_who_wrote_it(work: Path, git: Git, tmp_path: Path) -> None:
    (work / "README.md").write_text("changed by nobody who matters")
    git("-c", "user.name=Else", "commit", "--quiet", "-am", "words")
    got = fetch(work, tmp_path / "got")
    assert (got.author, got.subject, got.commit) == ("Ron Ops", "the first policy", git("rev-parse", "HEAD"))
    assert (tmp_path / "got" / "prompts" / "qualify.md").read_text() == "first"
    assert not (tmp_path / "got" / "README.md").exists()


def test_a_branch_a_tag_and_none_that_is_there(work: Path, git: Git, tmp_path: Path) -> None:
    git("tag", "v1")
    git("checkout", "--quiet", "-b", "feature/lower-bar")
    (work / "prompts" / "qualify.md").write_text("second")
    git("commit", "--quiet", "-am", "a lower bar")
    git("checkout", "--quiet", "main")
    for place, (ref, text) in enumerate({"@v1": "first", "@feature/lower-bar": "second", "": "first"}.items()):
        fetch(work, tmp_path / str(place), ref)
        assert (tmp_path / str(place) / "prompts" / "qualify.md").read_text() == text
    with pytest.raises(Misconfigured, match="no such branch"):
        fetch(work, tmp_path / "none", "@nowhere")


def test_links_are_not_followed_and_hooks_not_run(work: Path, git: Git, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("mine")
    (work / "rules").symlink_to(tmp_path)
    (work / "prompts" / "link.md").symlink_to(secret)
    git("add", "-A")
    git("commit", "--quiet", "-m", "links")
    fetch(work, tmp_path / "got")
    assert (tmp_path / "got" / "prompts" / "link.md").read_text() == str(secret)
    assert not (tmp_path / "got" / "prompts" / "link.md").is_symlink()


def test_a_repository_without_a_policy_and_one_that_is_too_large(
    work: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "MOST_BYTES", 3)
    with pytest.raises(Misconfigured, match="1 files"):
        fetch(work, tmp_path / "large")
    git("rm", "--quiet", "-r", "prompts")
    git("commit", "--quiet", "-m", "gone")
    with pytest.raises(Misconfigured, match="no policy in it"):
        fetch(work, tmp_path / "got")


def test_a_repository_that_does_not_answer(tmp_path: Path) -> None:
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(Unreachable, match="could not fetch") as caught:
        repository.fetch(repository.parse(f"file://{tmp_path}/none.git"), into)
    assert caught.value.exit_code == 3
    with pytest.raises(Unreachable) as caught:
        repository.fetch(repository.parse("https://me:secret@127.0.0.1:9/policy.git"), into)
    assert "secret" not in str(caught.value)


def test_git_that_is_not_there_and_git_that_hangs(
    work: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    into = tmp_path / "into"
    into.mkdir()
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    monkeypatch.setenv("PATH", str(bin_))
    with pytest.raises(Unreachable, match="git is not installed"):
        repository.fetch(repository.parse(f"file://{work}"), into)
    (bin_ / "git").write_text("#!/bin/sh\n/bin/sleep 60\n")
    (bin_ / "git").chmod(0o755)
    began = time.monotonic()
    with pytest.raises(Unreachable, match="in time"):
        repository.fetch(repository.parse(f"file://{work}"), into, seconds=0.3)
    assert time.monotonic() - began < 20


def test_a_directory_at_hand(work: Path, git: Git, tmp_path: Path) -> None:
    assert repository.origin(work).commit == git("rev-parse", "HEAD")
    (work / "prompts" / "qualify.md").write_text("not committed")
    assert repository.origin(work) == repository.Origin(str(work))
    assert repository.origin(tmp_path) == repository.Origin(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "url", "ref"),
    [
        ("https://git.acme.example/policy.git@main", "https://git.acme.example/policy.git", "main"),
        ("https://git.acme.example/policy", "https://git.acme.example/policy", None),
        ("git@git.acme.example:sales/policy.git@v1.2", "git@git.acme.example:sales/policy.git", "v1.2"),
        ("ssh://git@acme.example/policy@feature/x", "ssh://git@acme.example/policy", "feature/x"),
        ("/srv/policy.git@abc123", "/srv/policy.git", "abc123"),
    ],
)
def test_addresses(text: str, url: str, ref: str | None) -> None:
    found = repository.parse(text)
    assert (found.url, found.ref) == (url, ref)


@pytest.mark.parametrize(
    "text", ["nowhere", "--upload-pack=x.git", "ext::sh -c x", "https://a.example/x.git@--all", "ext://a/b", ""]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(Misconfigured):
        repository.parse(text)


def test_a_password_is_never_shown() -> None:
    assert repository.parse("https://me:pw@acme.example/p.git").shown == "https://acme.example/p.git"


def test_who_wrote_it_where_history_is_cut_off(
    work: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "DEPTH", 1)
    (work / "README.md").write_text("later")
    git("-c", "user.name=Else", "commit", "--quiet", "-am", "words")
    assert fetch(work, tmp_path / "got").author == "Ron Ops"
    git("clone", "--quiet", "--depth=1", f"file://{work}", str(tmp_path / "cut"))
    at_hand = repository.origin(tmp_path / "cut")
    assert (at_hand.commit, at_hand.author) == (git("rev-parse", "HEAD"), None)
    assert "do not reach back" in at_hand.unnamed
    run = repository._Git.run

    def refuse(self: repository._Git, *arguments: str) -> str:
        if "--unshallow" in arguments:
            raise Unreachable("git did not come to an end in time", place="here")
        return run(self, *arguments)

    monkeypatch.setattr(repository._Git, "run", refuse)
    late = fetch(work, tmp_path / "late")
    assert (late.author, late.unnamed) == (None, at_hand.unnamed)


def test_a_change_within_a_merge_is_the_mergers(work: Path, git: Git, tmp_path: Path) -> None:
    git("checkout", "--quiet", "-b", "side")
    git("commit", "--quiet", "--allow-empty", "-m", "beside")
    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "--no-ff", "--no-commit", "side")
    (work / "prompts" / "qualify.md").write_text("slipped in")
    git("-c", "user.name=Merger", "commit", "--quiet", "-am", "a merge")
    assert fetch(work, tmp_path / "got").author == "Merger"


def test_an_address_beside_us_and_at_home(
    work: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("clone", "--quiet", "--bare", str(work), str(tmp_path / "pol.git"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for place, text in enumerate(("./pol.git", "pol.git@main", "~/pol.git")):
        into = tmp_path / str(place)
        into.mkdir()
        assert repository.fetch(repository.parse(text), into).source == str(tmp_path / "pol.git")
        assert (into / "prompts" / "qualify.md").read_text() == "first"


def test_files_that_are_called_like_the_folders_are_no_policy(work: Path, git: Git, tmp_path: Path) -> None:
    git("rm", "--quiet", "-r", "prompts")
    for name in repository.FOLDERS:
        (work / name).write_text("a file")
    git("add", "-A")
    git("commit", "--quiet", "-m", "files")
    with pytest.raises(Misconfigured, match="no policy in it"):
        fetch(work, tmp_path / "got")
    assert [path.name for path in (tmp_path / "got").iterdir()] == [".git"]


def test_a_directory_at_hand_runs_none_of_its_filters(work: Path, git: Git, tmp_path: Path) -> None:
    (work / ".gitattributes").write_text("* filter=evil\n")
    git("config", "filter.evil.clean", f"touch {tmp_path}/ran; cat")
    prompt = work / "prompts" / "qualify.md"
    prompt.write_text("first")  # of another moment, so that it would be read again
    assert repository.origin(work).author == "Ron Ops"
    (work / "rules").mkdir()
    (work / "rules" / "new.yaml").write_text("not committed")
    assert repository.origin(work).commit is None
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "text", ["https://me:p@ss@acme.example/p.git", "https://acme.example/p.git?private_token=p@ss"]
)
def test_no_part_of_a_secret_is_shown(text: str) -> None:
    try:
        told = repository.parse(text).shown
    except Misconfigured as error:
        told = str(error)
    assert "https://acme.example/p.git" in told
    assert not any(part in told for part in ("ss@", "p@", "token", "me:"))


@pytest.mark.parametrize(
    "text",
    [
        "https://me:top/hush@acme.example/p.git",
        "https://me:top/hush@acme.example/p.git@main",
        "https://me:top/hush@acme.example/p",
        "https://me:1234@top/hush@acme.example/p.git",
        "https://me:top/hu sh@acme.example/p.git",
        "https://me:/tophush@acme.example/p.git",
        "ssh://me:t@p/hush@acme.example:22/p.git",
        "me:top/hush@acme.example:p.git",
        "https://me:1234/hush@acme.example/p",
        "https://me.top:1234/hush@acme.example/p",
        "https://me:1234/hush@gitlab/p",
        "https://me:1234/hush@acme.example:8443/p",
        "https://me:1234/hush@acme.example/p?x=1",
        "https://me:1234/hush@acme%41",
        "https://me:/hush@acme.example/p",
        "https://top/hush@acme.example/p",
        "http://me:1234/hush@acme.example/p",
        "foo://me:1234/hush@acme.example/p",
        "ssh://me:1234/hush@acme.example/p",
        "ssh://me:top@x/hush@acme.example/p",
    ],
)
def test_a_password_with_a_slash_is_refused_and_no_part_of_it_shown(text: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        repository.parse(text)
    assert not any(part in str(caught.value) for part in ("top", "hu", "sh@", "t@p", "me:", "1234"))


@pytest.mark.parametrize(
    "text",
    [
        "https://me:s3@acme.example:8443/p.git@main",
        "ssh://git@[::1]:22/p.git",
        "https://acme.example/p@feature/x",
        "https://me@dev.acme.example/me/sales/_git/policy@feature/x",
        "https://gitlab:8443/sales/policy.git@feature/x",
        "https://gitlab:8443/sales/policy@v1.2",
        "https://localhost:3000/sales/policy@feature/x",
        "https://[::1]:3000/sales/policy@feature/x",
        "https://acme.example/p.git@release-1.2/x",
    ],
)
def test_ports_and_branches_are_no_passwords(text: str) -> None:
    assert "s3" not in repository.parse(text).shown


def test_a_branch_that_looks_like_a_host_is_written_with_its_slash_encoded() -> None:
    with pytest.raises(Misconfigured, match="%2F"):
        repository.parse("https://acme.example/p@release-1.2/x")
    assert repository.parse("https://acme.example/p@release-1.2%2Fx").ref == "release-1.2/x"


@pytest.mark.parametrize("text", ["ssh://git@acme.example:org/p.git@main", "ssh://acme.example:org/p.git"])
def test_two_ways_to_write_an_address_in_one_are_named(text: str) -> None:
    with pytest.raises(Misconfigured, match="mixes") as caught:
        repository.parse(text)
    assert "password" not in str(caught.value)
    assert "git@HOST:ORG/REPO.git" in str(caught.value)
