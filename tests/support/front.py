"""A front before a worker of Kafka Connect, as a gateway is: it answers once by itself what a test names, passes on
all else, and counts what the worker takes."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

_HTML = b"<html><body><h1>HTTP ERROR 404 Not Found</h1></body></html>"
_REBALANCE = "Cannot complete request momentarily due to stale configuration (typically caused by a concurrent change)"
_TIMED_OUT = "Request timed out. The worker is currently polling the group coordinator"


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    body: Any

    @property
    def writes(self) -> bool:
        """Whether it changes something at the worker."""
        return self.method != "GET" and not self.path.endswith("/config/validate")


@dataclass
class Front:
    """See the module.

    Attributes:
        worker: URL that requests are passed on to.
        url: of the front.
        received: everything that clients sent.
        passed: what was passed on to the worker.
        refused: those of them that the worker refused.
        fault: called with each request; returns the name of an answer of `ANSWERS`, or None.
        own: status and JSON of the answer `own`.
        change: called with each answer's request and JSON; returns what is sent instead.
    """

    worker: str
    url: str = ""
    received: list[Request] = field(default_factory=list)
    passed: list[Request] = field(default_factory=list)
    refused: list[Request] = field(default_factory=list)
    fault: Callable[[Request], str | None] = lambda _: None
    change: Callable[[Request, Any], Any] = lambda _, body: body
    own: tuple[int, Any] = (500, {})
    closing: threading.Event = field(default_factory=threading.Event)
    late: list[threading.Timer] = field(default_factory=list)

    @property
    def writes(self) -> list[Request]:
        """The writes that the worker took, late ones too."""
        for timer in self.late:
            timer.join()
        return [one for one in self.passed if one.writes and not any(one is other for other in self.refused)]

    def once(self, answer: str) -> None:
        """Answer the first request of each method and path in this way, writes and reads alike."""
        met = set()

        def fault(request: Request) -> str | None:
            key = (request.method, request.path)
            if key in met:
                return None
            met.add(key)
            return answer

        self.fault = fault

    def on_write(self, answer: str) -> None:
        """Answer the first write in this way."""
        met: list[Request] = []

        def fault(request: Request) -> str | None:
            if not request.writes or met:
                return None
            met.append(request)
            return answer

        self.fault = fault


ANSWERS = (
    *("html", "conflict", "gateway_away", "gateway_behind", "timed_out", "timed_out_behind"),
    *("cut_before", "cut_behind"),
)
"""404 in HTML, 409, 504 (before and behind the worker), 500 by a time limit, a cut connection."""

SILENT = ("silent_before", "silent_behind")
"""No answer at all; the worker gets the request, or does not."""

LATE = "timed_out_late"
"""500 by a time limit; the worker gets the request later."""
LATE_SECONDS = 1.5


@contextmanager
def front_before(worker: str) -> Iterator[Front]:
    """A running front."""
    front = Front(worker)
    with httpx.Client(base_url=worker, timeout=60, trust_env=False) as client, _Server(front, client) as server:
        front.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield front
        finally:
            front.closing.set()
            for timer in front.late:
                timer.join()
            server.shutdown()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, front: Front, client: httpx.Client) -> None:
        self.front, self.client = front, client
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_any(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, json.loads(raw) if raw else None)
        front = self.server.front
        front.received.append(request)
        answer = front.fault(request)
        given = self.pass_on(request, raw) if answer is None or answer.endswith("_behind") else None
        if answer == LATE:
            front.late.append(threading.Timer(LATE_SECONDS, self.pass_on, (request, raw)))
            front.late[-1].start()
        if answer is None and given is not None:
            self.send(given.status_code, given.content, given.headers.get("content-type", ""), request)
        elif answer in ("cut_before", "cut_behind"):
            self.cut()
        elif answer in ("silent_before", "silent_behind"):
            front.closing.wait(60)
            self.cut()
        elif answer == "own":
            self.send(front.own[0], json.dumps(front.own[1]).encode(), "application/json", request)
        else:
            self.send(*_OWN[str(answer).removesuffix("_behind").removesuffix("_away").removesuffix("_late")], request)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815

    def pass_on(self, request: Request, raw: bytes) -> httpx.Response:
        front, client = self.server.front, self.server.client
        front.passed.append(request)
        headers = {"Content-Type": "application/json"} if raw else {}
        response = client.request(request.method, request.path, content=raw, headers=headers)
        if not response.is_success:
            front.refused.append(request)
        return response

    def send(self, status: int, content: bytes, kind: str, request: Request) -> None:
        if "json" in kind and content:
            content = json.dumps(self.server.front.change(request, json.loads(content))).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind or "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def cut(self) -> None:
        """Reset the connection."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _json(status: int, message: str) -> tuple[int, bytes, str]:
    return status, json.dumps({"error_code": status, "message": message}).encode(), "application/json"


_OWN = {
    "html": (404, _HTML, "text/html"),
    "conflict": _json(409, _REBALANCE),
    "gateway": (504, b"<html>Gateway Time-out</html>", "text/html"),
    "timed_out": _json(500, _TIMED_OUT),
}
