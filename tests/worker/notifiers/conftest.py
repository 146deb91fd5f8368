"""Who is told: an HTTP server and a mail server on this machine."""

from __future__ import annotations

import http.server
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tierwise.sdk import Notice

NOTICE = Notice(
    "connection_paused:emea", "critical", "The connection <emea> is paused", "See to it & enable it.",
    datetime(2026, 11, 2, 9, tzinfo=UTC), "https://console.example.org/", "connection_paused",
)  # fmt: skip


class Hook(http.server.ThreadingHTTPServer):
    """Answers as a test says, 200 after that."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses: list[int] = []
        self.taken: list[tuple[str, dict[str, str], bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/services/T0/s3cret"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, dict(self.headers), body))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.send_response(status)
        text = f"no_service {self.path}".encode()
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        return


class MailServer(socketserver.ThreadingTCPServer):
    """As much of SMTP as a client says; `refuse` maps a verb to its answer."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.refuse: dict[str, str] = {}
        self.mails: list[tuple[list[str], str]] = []
        self.port = self.server_address[1]


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 mail.example ESMTP")
        to: list[str] = []
        while line := self.rfile.readline().decode().strip():
            verb = line.split(":")[0].split(" ")[0].upper()
            if verb in self.server.refuse:
                self._say(self.server.refuse[verb])
            elif verb == "DATA":
                self._say("354 go on")
                text = b"".join(iter(self.rfile.readline, b".\r\n")).decode()
                self.server.mails.append((to, text))
                self._say("250 taken")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                if verb == "RCPT":
                    to.append(line.partition("<")[2].partition(">")[0])
                self._say("250 fine")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


def _served(server: Any) -> Iterator[Any]:
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def hook() -> Iterator[Hook]:
    yield from _served(Hook())


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    yield from _served(MailServer())


@pytest.fixture
def notice() -> Notice:
    return NOTICE
