"""A customer's own policy repository: what is in it at a commit, laid out where it can be read, and who wrote it.

Git itself does the work, as a program with a time limit. Nothing of the repository is run: no hooks, no submodules, no
links, and only `prompts/` and `rules/` are written out. Of a directory only git's own store is asked, no filter of its
configuration is run, and it reaches no other place.
"""

from __future__ import annotations

import hashlib
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
_SECRET = re.compile(r"(?<=://)[^/\s]*@|(?<=[^\s?])\?[^\s'\"]*")
"""Who is let in, and what is asked behind the path: tokens stand in both."""


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
    unnamed: str = ""
    """Why nobody is named where the newest commit is known."""


def parse(text: str) -> Source:
    """A directory, or a repository's address with `@ref` behind it. Raises Misconfigured for neither."""
    path = Path(text).expanduser()
    if text and path.is_dir() and not text.endswith(".git"):
        return Source(str(path), directory=path)
    found = _ADDRESS.fullmatch(text)
    if found is None or text.startswith("-"):
        raise Misconfigured(
            "this is neither a directory nor a repository's address", place=_shown(text)[:200],
            remedy="--from DIR, --from https://HOST/REPO.git@BRANCH or --from git@HOST:REPO.git@TAG",
        )  # fmt: skip
    url, ref = found["url"], found["ref"]
    if "://" not in url and ":" not in url:
        url = str(Path(url).expanduser().resolve())  # git runs in a folder of its own
    shown = _SECRET.sub("", url)
    scheme = url.split("://", 1)[0] if "://" in url else "ssh"
    if scheme not in _SCHEMES:
        raise Misconfigured(
            f"'{scheme}' is no way to reach a repository", place=f"{scheme}://…", remedy=", ".join(_SCHEMES)
        )
    if scheme == "ssh" and _mixed(url, text):
        raise Misconfigured(
            "this mixes two ways to write an address: behind ssh://HOST: only a port may stand", place="ssh://…",
            remedy="ssh://git@HOST/ORG/REPO.git, or git@HOST:ORG/REPO.git without ssh://",
        )  # fmt: skip
    if "://" in url and "@" in text and _torn(url, ref):
        raise Misconfigured(
            "this is no repository's address: a password in it may hold no / and no @", place=f"{scheme}://…",
            remedy="write / as %2F and @ as %40 in a password, a path or a branch, write .git before @BRANCH, "
            "or leave the password to git's credential helper",
        )  # fmt: skip
    ref = _decoded(ref) if ref is not None else None
    if ref is not None and not _REF.fullmatch(ref):
        raise Misconfigured(f"'{ref}' is no branch, tag or commit", place=shown)
    return Source(shown, url=url, ref=ref)


def _torn(url: str, ref: str | None) -> bool:
    """Whether a password was cut in two: what stands for the port is none, or what stands for the branch is an address.

    Without `.git` before the branch, `HOST/PATH@BRANCH/MORE` is told from `ME:PART/REST@HOST/PATH` by the dots of
    hosts.
    """
    scheme, _, rest = url.partition("://")
    user, _, host = rest.partition("/")[0].rpartition("@")
    name, port = _split(host)
    if port is not None and not port.isdecimal():
        return True
    if ref is None or scheme == "file":
        return False
    if ref.endswith(".git"):
        return True
    if url.endswith(".git") or (scheme == "ssh" and user and ":" not in user):
        return False
    first, slash, _ = ref.partition("/")
    if not _REF.fullmatch(_decoded(ref)):
        return True
    return bool(slash) and ("." in first or not (name == "localhost" or "." in name or "]" in name))


def _mixed(url: str, text: str) -> bool:
    """Whether `git@HOST:ORG/REPO` was written behind ssh://."""
    user, at, host = url.partition("://")[2].partition("/")[0].rpartition("@")
    port = _split(host)[1]
    return bool(port and not port.isdecimal()) and ":" not in user and bool(at or "@" not in text)


def _decoded(ref: str) -> str:
    return re.sub("%2f", "/", ref, flags=re.IGNORECASE)


def _split(host: str) -> tuple[str, str | None]:
    """The name and the port; None where no colon stands."""
    bracket, closed, rest = host.rpartition("]")
    name, colon, port = rest.partition(":")
    return bracket + closed + name, port if colon else None


def _shown(text: str) -> str:
    """What is no address, without all that somebody may have meant for a password."""
    start, mark, rest = text.rpartition("@")
    hidden = f"{start.partition('://')[0]}://…@{rest}" if "://" in start else f"…@{rest}"
    return _SECRET.sub("", hidden if mark and ":" in start else text)


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
    return _origin(git, source.shown, "FETCH_HEAD", again=(source.url, ref))


def origin(directory: Path) -> Origin:
    """What is known of a directory that somebody has at hand: its commit where it is one, else only where it is."""
    alone = Origin(str(directory))
    git = _Git(directory, until=time.monotonic() + 10, place=str(directory), schemes=())
    try:
        return _origin(git, str(directory), "HEAD") if _as_committed(git, directory) else alone
    except (Unreachable, Misconfigured):
        return alone  # not in a repository, or no git here: the files are what counts


def _as_committed(git: _Git, directory: Path) -> bool:
    """Whether the policy's files are those of the newest commit. `git status` is not asked: it runs the filters that
    the directory's own configuration names."""
    committed = dict(
        _entry(line) for line in git.run("ls-tree", "-r", "-z", "HEAD", "--", *FOLDERS).split("\0") if line
    )
    listed = git.run("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *FOLDERS)
    if set(filter(None, listed.split("\0"))) != set(committed) or len(committed) > MOST_FILES:
        return False
    return all(_holds(directory / name, id_) for name, id_ in committed.items())


def _entry(line: str) -> tuple[str, str]:
    told, _, name = line.partition("\t")
    return name, told.split()[2]


def _holds(path: Path, id_: str) -> bool:
    """Whether a file is the blob of that id; line ends may be those of Windows."""
    try:
        if not path.is_symlink() and (not path.is_file() or path.stat().st_size > MOST_BYTES):
            return False
        body = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
    except OSError:
        return False
    return id_ in {_blob(body, len(id_)), _blob(body.replace(b"\r\n", b"\n"), len(id_))}


def _blob(body: bytes, digits: int) -> str:
    kind = hashlib.sha256 if digits == 64 else hashlib.sha1
    return kind(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest()


def _origin(git: _Git, shown: str, ref: str, *, again: tuple[str, str] | None = None) -> Origin:
    """`again`: the address and ref to ask for older commits where those at hand do not tell who wrote it."""
    commit = git.run("rev-parse", "--verify", f"{ref}^{{commit}}").strip()
    shallow = git.directory / git.run("rev-parse", "--git-path", "shallow").strip("\n")
    changed, author, subject = _newest(git, commit)
    if again is not None and _cut(shallow, changed):
        try:
            git.fetch(*again, depth="--unshallow")
            changed, author, subject = _newest(git, commit)
        except (Unreachable, Misconfigured):
            pass  # it is told below
    if _cut(shallow, changed):
        # Where history was cut off, all files look as if they had been written there.
        return Origin(shown, commit, unnamed="the commits at hand do not reach back to its last change")
    return Origin(shown, commit, author[:200] or None, subject[:500])


def _newest(git: _Git, commit: str) -> tuple[str, str, str]:
    """Id, author and subject of the newest commit that changed the policy; of a merge that changed it itself, too."""
    told = git.run("log", "-1", "--format=%H%x00%an%x00%s", commit, "--", *FOLDERS).strip("\n")
    changed, author, subject = (*told.split("\0", 2), "", "", "")[:3]
    return changed, author, subject


def _cut(shallow: Path, commit: str) -> bool:
    """Whether the commits before this one were left behind; git keeps a list of such."""
    return shallow.is_file() and commit in shallow.read_text(encoding="ascii").split()


def _bounded(lines: Sequence[str], shown: str) -> None:
    sizes = []
    for line in lines:
        kind, size = line.split()[1], line.split()[3]
        if kind != "blob":
            raise Misconfigured("it holds a submodule, which is not read", place=f"{shown}: {line.split(chr(9))[-1]}")
        sizes.append(int(size))
    if not any(line.partition("\t")[2].startswith(tuple(f"{folder}/" for folder in FOLDERS)) for line in lines):
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

    def __init__(self, directory: Path, *, until: float, place: str, schemes: Sequence[str] = _SCHEMES) -> None:
        self.directory = directory
        self._schemes = schemes
        self._until = until
        self._place = place

    def fetch(self, url: str, ref: str, *, depth: str = "") -> None:
        """One try more for what went wrong on the way."""
        for attempt in range(1, TRIES + 1):
            try:
                self.run(
                    "fetch",
                    "--quiet",
                    "--no-tags",
                    "--no-recurse-submodules",
                    depth or f"--depth={DEPTH}",
                    "--",
                    url,
                    ref,
                )
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
            "-c", "core.fsmonitor=false", "-c", "log.showSignature=false", "-C", str(self.directory), *arguments,
        ]  # fmt: skip
        started = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            encoding="utf-8", errors="replace", start_new_session=True, env=_environment(self._schemes),
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


def _environment(schemes: Sequence[str]) -> dict[str, str]:
    """Nobody is asked for a password, and no variable points git at another repository."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("GIT_DIR", "GIT_WORK", "GIT_INDEX"))
    }
    return {
        **kept, "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "SSH_ASKPASS": "true", "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_ALLOW_PROTOCOL": ":".join(schemes) or "none", "LC_ALL": "C",
        "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=10"),
    }  # fmt: skip
