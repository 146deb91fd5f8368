"""A customer's own policy repository: what is in it at a commit, laid out where it can be read, and who wrote it.

Git itself does the work, as a program with a time limit. Nothing of the repository is run: no hooks, no submodules, no
links, and only `prompts/` and `rules/` are written out.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tierwise.errors import Misconfigured, Unreachable

SECONDS = 60.0
"""A whole fetch may take so long."""
TRIES = 2
DEPTH = 50
"""Commits that are brought along, to find who wrote the policy last."""
MOST_FILES = 1000
MOST_BYTES = 16 * 1024 * 1024
FOLDERS = ("prompts", "rules")

_ADDRESS = re.compile(
    r"(?P<url>[a-z][a-z0-9+.-]*://[^/\s]*/[^\s@]+|[\w.-]+@[\w.-]+:[^\s@]+|[^\s@:]*\.git)(?:@(?P<ref>[^\s@]+))?"
)
_REF = re.compile(r"[A-Za-z0-9][\w./-]{0,199}")
_SCHEMES = ("https", "http", "ssh", "git", "file")
_SECRET = re.compile(r"(?<=://)[^/@\s]+@")


class Source(NamedTuple):
    """Where a policy is taken from."""

    shown: str
    """Without what would let somebody in."""
    url: str | None = None
    """None for a directory."""
    ref: str | None = None
    directory: Path | None = None


class Origin(NamedTuple):
    """What is recorded of where a version comes from."""

    source: str
    commit: str | None = None
    """Whole id; None for files that are in no repository, or that differ from it."""
    author: str | None = None
    """Of the newest commit that changed the policy's files."""
    subject: str = ""


def parse(text: str) -> Source:
    """A directory, or a repository's address with `@ref` behind it. Raises Misconfigured for neither."""
    path = Path(text).expanduser()
    if text and path.is_dir() and not text.endswith(".git"):
        return Source(str(path), directory=path)
    found = _ADDRESS.fullmatch(text)
    if found is None or text.startswith("-"):
        raise Misconfigured(
            "this is neither a directory nor a repository's address", place=text[:200],
            remedy="--from DIR, --from https://HOST/REPO.git@BRANCH or --from git@HOST:REPO.git@TAG",
        )  # fmt: skip
    url, ref = found["url"], found["ref"]
    shown = _SECRET.sub("", url)
    scheme = url.split("://", 1)[0] if "://" in url else "ssh"
    if scheme not in _SCHEMES:
        raise Misconfigured(f"'{scheme}' is no way to reach a repository", place=shown, remedy=", ".join(_SCHEMES))
    if ref is not None and not _REF.fullmatch(ref):
        raise Misconfigured(f"'{ref}' is no branch, tag or commit", place=shown)
    return Source(shown, url=url, ref=ref)


def fetch(source: Source, into: Path, *, seconds: float = SECONDS) -> Origin:
    """Lay the policy's files of a repository out in `into`, an empty directory. Raises Unreachable where git is not
    there or the repository does not answer, Misconfigured where it has no such ref or no policy."""
    assert source.url is not None
    git = _Git(into, until=time.monotonic() + seconds, place=source.shown)
    git.run("init", "--quiet", "--template=", "--initial-branch=none")
    ref = source.ref or "HEAD"
    git.fetch(source.url, ref)
    found = git.run("ls-tree", "-r", "-z", "--long", "FETCH_HEAD", "--", *FOLDERS)
    _bounded([line for line in found.split("\0") if line], source.shown)
    git.run("checkout", "--quiet", "--force", "FETCH_HEAD", "--", *_there(found))
    return _origin(git, source.shown, "FETCH_HEAD")


def origin(directory: Path) -> Origin:
    """What is known of a directory that somebody has at hand: its commit where it is one, else only where it is."""
    alone = Origin(str(directory))
    git = _Git(directory, until=time.monotonic() + 10, place=str(directory))
    try:
        changed = git.run("status", "--porcelain", "--", *FOLDERS)
        return alone if changed.strip() else _origin(git, str(directory), "HEAD")
    except (Unreachable, Misconfigured):
        return alone  # not in a repository, or no git here: the files are what counts


def _origin(git: _Git, shown: str, ref: str) -> Origin:
    commit = git.run("rev-parse", "--verify", f"{ref}^{{commit}}").strip()
    told = git.run("log", "-1", "--no-merges", "--format=%an%x00%s", ref, "--", *FOLDERS).strip("\n")
    author, _, subject = told.partition("\0")
    return Origin(shown, commit, author[:200] or None, subject[:500])


def _bounded(lines: Sequence[str], shown: str) -> None:
    sizes = []
    for line in lines:
        kind, size = line.split()[1], line.split()[3]
        if kind != "blob":
            raise Misconfigured("it holds a submodule, which is not read", place=f"{shown}: {line.split(chr(9))[-1]}")
        sizes.append(int(size))
    if not sizes:
        raise Misconfigured(
            "there is no policy in it", place=shown, remedy="it needs prompts/qualify.md and rules/ at its top"
        )
    if len(sizes) > MOST_FILES or sum(sizes) > MOST_BYTES:
        raise Misconfigured(
            f"{len(sizes)} files with {sum(sizes) // 1024} KiB",
            place=shown,
            remedy=f"at most {MOST_FILES} with {MOST_BYTES // 1024} KiB are read",
        )


def _there(listed: str) -> list[str]:
    """The folders that hold something: git refuses to lay out others."""
    return [folder for folder in FOLDERS if f"\t{folder}/" in listed]


class _Git:
    """Git in one directory, until one moment."""

    def __init__(self, directory: Path, *, until: float, place: str) -> None:
        self._directory = directory
        self._until = until
        self._place = place

    def fetch(self, url: str, ref: str) -> None:
        """One try more for what went wrong on the way."""
        for attempt in range(1, TRIES + 1):
            try:
                self.run("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", f"--depth={DEPTH}", "--", url, ref)
                return
            except Unreachable:
                if attempt == TRIES or time.monotonic() > self._until:
                    raise

    def run(self, *arguments: str) -> str:
        """Standard output. A process that is late is ended with all that it started."""
        program = shutil.which("git")
        if program is None:
            raise Unreachable("git is not installed", place=self._place, remedy="install git, or name a directory")
        command = [
            program, "-c", "core.hooksPath=/dev/null", "-c", "core.symlinks=false", "-c", "protocol.ext.allow=never",
            "-c", "core.fsmonitor=false", "-C", str(self._directory), *arguments,
        ]  # fmt: skip
        started = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            encoding="utf-8", errors="replace", start_new_session=True, env=_environment(),
        )  # fmt: skip
        try:
            out, err = started.communicate(timeout=max(0.1, self._until - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
            started.communicate()
            raise Unreachable(
                "git did not come to an end in time", place=self._place, remedy="try again later"
            ) from None
        if started.returncode:
            raise self._error(arguments[0], err)
        return out

    def _error(self, what: str, said: str) -> Unreachable | Misconfigured:
        lines = [_SECRET.sub("", line.strip()) for line in said.splitlines() if line.strip()]
        told = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "")
        if "couldn't find remote ref" in said or "not our ref" in said:
            return Misconfigured(
                "it has no such branch, tag or commit", place=self._place, remedy="write it behind an @"
            )
        if what == "fetch":
            return Unreachable(f"git could not fetch it: {told[:300]}", place=self._place)
        return Misconfigured(f"git {what} failed: {told[:300]}", place=self._place)


def _environment() -> dict[str, str]:
    """Nobody is asked for a password, and no variable points git at another repository."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("GIT_DIR", "GIT_WORK", "GIT_INDEX"))
    }
    return {
        **kept, "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "SSH_ASKPASS": "true", "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_ALLOW_PROTOCOL": ":".join(_SCHEMES), "LC_ALL": "C",
        "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=10"),
    }  # fmt: skip
