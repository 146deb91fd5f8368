"""The door to providers' batch endpoints, through litellm's own calls for files and batches.

Its blocking calls, not its asynchronous ones: those open a client a call and never close it. One call at a time, each
with a limit in all; retries are the caller's, who knows what was tried before. Nothing a provider wrote is passed on.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from tierwise import errors
from tierwise.llm import batch_lines, client, failures

PROVIDERS = frozenset({"openai"})
"""Those for which litellm makes, lists and reads batches by the environment that live calls go by."""
TAG = "tierwise_batch"
"""Name of the metadata by which a batch of ours is found again."""
KEPT = timedelta(days=9)
"""After which a provider deletes an uploaded file: nobody else deletes one whose upload was never acknowledged.
Longer than any batch may take."""
_PAGE, _PAGES = 100, 50
_EARLIER = timedelta(minutes=10)  # by which the provider's clock may differ from ours

State = Literal["working", "completed", "expired", "cancelled", "failed"]
_STATES: dict[str, State] = {
    "completed": "completed", "expired": "expired", "cancelled": "cancelled", "failed": "failed",
}  # fmt: skip


class Looked(NamedTuple):
    """How a batch stands at its provider."""

    state: State
    files: tuple[str, ...] = ()
    """Of answers and errors, those there are."""
    done: int = 0
    fault: str = ""
    """Why it failed as a whole, where it did."""


class Door:
    """Batches of one model. Safe to use from any thread."""

    def __init__(self, model: str, *, timeout_seconds: float) -> None:
        """`timeout_seconds` is for each call; files get twice as long."""
        self._model = model
        self._seconds = timeout_seconds

    @property
    def longest(self) -> float:
        """Seconds that a single call can take."""
        return self._seconds * 2

    def upload(self, lines: Sequence[str]) -> str:
        """The file's id. Raises RetryLater, Unreachable, RejectRecord, PauseConnection."""
        content = "".join(f"{line}\n" for line in lines).encode()
        made = self._call(
            "create_file",
            self._seconds * 2,
            file=("tierwise.jsonl", content, "application/jsonl"),
            purpose="batch",
            expires_after={"anchor": "created_at", "seconds": int(KEPT.total_seconds())},
        )
        return str(made.id)

    def submit(self, file_id: str, *, tag: str) -> str:
        """The batch's id. With RetryLater it is not known whether there is one: `find` tells."""
        made = self._call(
            "create_batch",
            self._seconds,
            completion_window="24h",
            endpoint=batch_lines.ENDPOINT,
            input_file_id=file_id,
            metadata={TAG: tag},
        )
        return str(made.id)

    def find(self, tag: str, *, since: datetime) -> str | None:
        """The batch that was created with that tag at or after `since`."""
        after, oldest = None, (since.astimezone(UTC) - _EARLIER).timestamp()
        for _ in range(_PAGES):
            page = self._call("list_batches", self._seconds, limit=_PAGE, **({"after": after} if after else {})).data
            for item in page:
                if (item.metadata or {}).get(TAG) == tag:
                    return str(item.id)
            if not page or page[-1].created_at < oldest:
                return None
            after = page[-1].id
        raise errors.RetryLater("its batches are too many to find one", place=self._model)

    def look(self, key: str) -> Looked:
        """How it stands."""
        found = self._call("retrieve_batch", self._seconds, batch_id=key, **_QUIET)
        counts = found.request_counts
        return Looked(
            _STATES.get(found.status, "working"),
            tuple(str(name) for name in (found.output_file_id, found.error_file_id) if name),
            done=counts.completed if counts else 0,
            fault=_fault(found) if found.status == "failed" else "",
        )

    def read(self, file_id: str) -> bytes:
        """A file's content."""
        content: bytes = self._call("file_content", self._seconds * 2, file_id=file_id).content
        return content

    def cancel(self, key: str) -> None:
        """What was answered by then stays and is paid."""
        self._call("cancel_batch", self._seconds, batch_id=key)

    def delete(self, file_id: str) -> None:
        """Of what is gone already nothing is said."""
        try:
            self._call("file_delete", self._seconds, file_id=file_id)
        except errors.TierwiseError as error:
            if error.fault != "unknown_model":
                raise

    def _call(self, name: str, seconds: float, **given: Any) -> Any:
        litellm = client.load()
        _, provider, _, _ = litellm.get_llm_provider(self._model)
        call = getattr(litellm, name)
        failure: errors.TierwiseError
        try:
            return _within(seconds, lambda: call(custom_llm_provider=provider, timeout=seconds, max_retries=0, **given))
        except TimeoutError:
            failure = failures.timed_out(self._model, seconds)
        except failures.raised() as error:
            failure = failures.translate(error, self._model, missing_keys=client.missing_keys)
        # Raised out here so that the provider's own exception, with its body, is not even the context.
        raise failure


def _fault(found: Any) -> str:
    """By the code alone: the words beside it may repeat a line of the file."""
    codes = {str(item.code) for item in (found.errors.data if found.errors else None) or ()}
    return "quota" if codes & {"token_limit_exceeded", "insufficient_quota"} else "refused"


_QUIET = {"litellm_metadata": {"batch_ignore_default_logging": True}}
"""Otherwise litellm reads the answers a second time, to reckon for logs that nobody keeps."""


def offers(model: str, *, decisions: Collection[str] = ()) -> bool:
    """Whether that model's questions can go in a batch. Imports litellm."""
    if model in decisions:
        return False
    try:
        provider = client.arguments(model).provider
    except errors.Misconfigured:
        return False
    listed = client.price_list()
    entry = listed.get(model) or listed.get(model.partition("/")[2]) or {}
    # What litellm sends to another endpoint than that of chats has other bodies.
    return provider in PROVIDERS and entry.get("mode", "chat") == "chat"


def _within(seconds: float, call: Callable[[], Any]) -> Any:
    """The call's result; TimeoutError where there is none in time, however slowly bytes drip in."""
    landed: queue.SimpleQueue[tuple[Any, Exception | None]] = queue.SimpleQueue()

    def run() -> None:
        found: Any = None
        # What nobody foresaw is told by the thread itself; whoever waits must not wait for it.
        error: Exception | None = ValueError("litellm failed in a way of its own")
        try:
            found, error = call(), None
        except failures.raised() as known:
            error = known
        finally:
            landed.put((found, error))

    # A daemon: a call that hangs must not keep a process from ending.
    threading.Thread(target=run, name="tierwise-batch-call", daemon=True).start()
    try:
        found, error = landed.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return found
