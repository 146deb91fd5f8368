"""Personal data and secrets are fed through every route by which something can be logged; all output is searched."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from tierwise import telemetry
from tierwise.domain.lead import Lead
from tierwise.errors import RetryLater
from tierwise.sdk.connector import Record
from tierwise.telemetry import logs as module

Configure = Callable[..., io.StringIO]
log = telemetry.log("tierwise.test")

FED = {
    "e-mail": "ada.lovelace@example.com",
    "phone": "+49 30 901820",
    "plain phone": "004930901820",
    "hubspot token": "pat-na1-0a1b2c3d-1111-4222-8333-444455556666",
    "model key": "sk-proj-Zx81kdPq02LmNv73",
    "address of a database": "postgresql://tierwise:hunter2@db.example/tierwise",
    "header": "Authorization: Bearer qwertyuiop",
    "body": '{"firstname": "Ada", "lastname": "Lovelace", "access_token": "zxcvbnm"}',
}
GONE = ["ada", "Ada", "lovelace", "Lovelace", "901820", "0a1b2c3d", "Zx81kd", "hunter2", "qwertyuiop", "zxcvbnm"]


TWO_PLACES = "%d of %s"


class Thing:
    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"Thing({self.text!r})"


def _raise(text: str) -> None:
    try:
        raise KeyError(text)
    except KeyError as error:
        raise RetryLater(f"the CRM said {text}", remedy=text) from error


def _caught(text: str) -> Exception:
    try:
        _raise(text)
    except RetryLater as error:
        return error
    raise AssertionError


def _warn(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(text, stacklevel=1)


def _hook(text: str) -> None:
    error = _caught(text)
    sys.excepthook(type(error), error, error.__traceback__)


def _thread(text: str) -> None:
    thread = threading.Thread(target=_raise, args=(text,))
    thread.start()
    thread.join(10)


def _bound(text: str) -> None:
    with telemetry.bind(connection=text, lead=text, policy=text, task=text, trace=text):
        log.info("bound")


def _own_handler(text: str) -> None:
    """LiteLLM adds a handler of its own when it is imported."""
    logger = logging.getLogger("LiteLLM")
    logger.addHandler(logging.StreamHandler())
    logger.error(text)


def _loop(text: str) -> None:
    async def fail() -> None:
        asyncio.get_running_loop().call_exception_handler({"message": text, "exception": _caught(text)})

    asyncio.run(fail())


ROUTES: dict[str, Callable[[str], object]] = {
    "event": log.info,
    "event inside prose": lambda text: log.info(f"could not send {text} to the CRM"),
    "positional argument": lambda text: log.info("could not send %s", text),
    "keyword": lambda text: log.info("x", value=text),
    "keyword that is a name": lambda text: log.info("x", **{text: 1}),
    "nested": lambda text: log.info("x", value={"a": [{"b": (text,)}, {text}]}),
    "bytes": lambda text: log.info("x", value=text.encode()),
    "object": lambda text: log.info("x", value=Thing(text)),
    "event that is an object": lambda text: log.info(Thing(text)),
    "lead": lambda text: log.info("x", value=Lead(first_name="Ada", last_name="Lovelace", message=text)),
    "record": lambda text: log.info(
        "x",
        value=Record(id="1", modified_at=None, properties={"firstname": "Ada", "x": text}, own={}),  # type: ignore[arg-type]
    ),
    "exception as value": lambda text: log.warning("x", error=_caught(text)),
    "exception as text": lambda text: log.warning("x", error=str(_caught(text))),
    "exception": lambda text: log.error("x", exc_info=_caught(text)),
    "stack": lambda text: log.error(text, stack_info=True),
    "bound context": _bound,
    "stdlib": lambda text: logging.getLogger("celery.worker").warning(text),
    "stdlib arguments": lambda text: logging.getLogger("urllib3.pool").warning("retrying %s after %r", text, [text]),
    "stdlib mapping": lambda text: logging.getLogger("x").warning("got %(a)s", {"a": text}),
    "stdlib extra": lambda text: logging.getLogger("x").warning("x", extra={"data": text}),
    "stdlib exception": lambda text: logging.getLogger("sqlalchemy.pool").error("x", exc_info=_caught(text)),
    "stdlib stack": lambda text: logging.getLogger("x").error(text, stack_info=True),
    "stdlib object": lambda text: logging.getLogger("x").warning(Thing(text)),
    "arguments that do not fit": lambda text: logging.getLogger("x").warning(TWO_PLACES, text),
    "mapping that does not fit": lambda text: logging.getLogger("x").warning("%(b)s", {"a": text}),
    "warning": _warn,
    "uncaught": _hook,
    "uncaught in a thread": _thread,
    "event loop": _loop,
    "library with a handler of its own": _own_handler,
}


@pytest.mark.parametrize("format_", ["json", "pretty"])
@pytest.mark.parametrize("route", ROUTES)
def test_nothing_gets_out(route: str, format_: str, logs: Configure, capfd: pytest.CaptureFixture[str]) -> None:
    for kind, text in FED.items():
        stream = logs(format_)
        ROUTES[route](text)
        output = stream.getvalue()
        assert output, f"{kind} by {route}: nothing was logged at all"
        beside = "".join(capfd.readouterr())
        # Only what was fed: source lines of this file stand in tracebacks.
        found = [gone for gone in GONE if gone in text and gone in _without_source(output)]
        assert not found, f"{kind} by {route}: {output}"
        assert not beside, f"{kind} by {route} went past our handler: {beside}"


def _without_source(output: str) -> str:
    """Our own names: the route called `lead` is written with the first name in its source line."""
    return output.replace('first_name="Ada"', "").replace('"firstname": "Ada"', "")


def test_nobody_sees_the_names_of_a_lead(logs: Configure) -> None:
    stream = logs()
    ROUTES["lead"]("x")
    ROUTES["record"]("x")
    assert "Ada" not in stream.getvalue()


def test_a_json_line_has_the_same_first_keys_wherever_it_comes_from(logs: Configure) -> None:
    stream = logs()
    with telemetry.bind(trace="b" * 32, connection="c"):
        log.info("ours", records=3)
        logging.getLogger("celery.worker").warning("theirs %s", 1)
    ours, theirs = (json.loads(line) for line in stream.getvalue().splitlines())
    assert [*ours] == ["timestamp", "level", "event", "logger", "trace", "connection", "records"]
    assert [*theirs] == ["timestamp", "level", "event", "logger", "trace", "connection"]
    assert (theirs["event"], theirs["logger"], theirs["level"]) == ("theirs 1", "celery.worker", "warning")
    assert ours["timestamp"].endswith("Z")
    assert ours["trace"] == theirs["trace"] == "b" * 32


def test_an_exception_keeps_its_place_and_its_kind(logs: Configure) -> None:
    stream = logs()
    log.error("failed", exc_info=_caught("x"))
    found = json.loads(stream.getvalue())["exception"]
    assert "in _raise" in found
    assert "RetryLater: the CRM said x" in found
    assert "\n" in found


def test_a_text_cannot_forge_a_line(logs: Configure) -> None:
    stream = logs("pretty")
    log.info("one\n2026-11-21T00:00:00Z [critical] forged", value="two\r\nthree\x1b[2J")
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_pretty_lines_and_a_pipe_json(logs: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    logs()
    monkeypatch.setenv("NO_COLOR", "1")
    terminal, pipe = Terminal(), io.StringIO()
    telemetry.configure("auto", "info", stream=terminal)
    log.info("polled", records=3)
    telemetry.configure("auto", "info", stream=pipe)
    log.info("polled", records=3)
    assert "polled" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")
    assert json.loads(pipe.getvalue())["records"] == 3


def test_the_level_holds_for_us_and_chatty_libraries_stay_quiet(logs: Configure) -> None:
    stream = logs(level="info")
    log.debug("unseen")
    logging.getLogger("httpx").info("HTTP Request: GET http://x")
    logging.getLogger("celery.app.trace").info("Task x succeeded")
    logging.getLogger("celery.worker").info("seen")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["seen"]


def test_configuring_again_does_not_double_lines(logs: Configure) -> None:
    first, second = logs(), logs()
    log.info("once")
    assert first.getvalue() == ""
    assert len(second.getvalue().splitlines()) == 1


def test_a_stream_that_is_gone_is_no_error(logs: Configure, capfd: pytest.CaptureFixture[str]) -> None:
    logs().close()
    log.info("lost ada@example.com")
    logging.getLogger("x").warning("lost %s", "ada@example.com")
    assert "".join(capfd.readouterr()) == ""


def test_an_interrupt_is_not_a_fault(logs: Configure, capfd: pytest.CaptureFixture[str]) -> None:
    stream = logs()
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert stream.getvalue() == ""
    assert "KeyboardInterrupt" in capfd.readouterr().err


def test_before_configuring_nothing_reaches_standard_output() -> None:
    """`tierwise demo --json -` writes its result there."""
    program = "from tierwise import telemetry; telemetry.log('x').warning('early'); telemetry.log('x').info('early')"
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert found.stdout == ""


def test_a_process_that_dies_says_so_in_one_json_line() -> None:
    program = (
        "from tierwise import telemetry; telemetry.configure('json', 'info');"
        "raise ValueError('no answer for ada@example.com')"
    )
    found = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60)
    (line,) = found.stderr.splitlines()
    said: dict[str, Any] = json.loads(line)
    assert (said["level"], said["logger"]) == ("critical", module.__name__)
    assert "ValueError: no answer for [email]" in said["exception"]
    assert found.returncode == 1


def test_a_library_that_came_before_us_prints_nothing_past_us_either() -> None:
    program = (
        "import logging; made = logging.getLogger('LiteLLM');"
        "from tierwise import telemetry; telemetry.configure('json', 'info');"
        "made.addHandler(logging.StreamHandler()); made.error('refused ada@example.com')"
    )
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    (line,) = found.stderr.splitlines()
    assert json.loads(line)["event"] == "refused [email]"
