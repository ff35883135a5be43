"""Rules of both clients, against a server that answers what a test says, in turn."""

import asyncio
import datetime as dt
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from airflow_legacy_events.connect import calls, client
from airflow_legacy_events.connect.deadline import Deadline
from airflow_legacy_events.connect.endpoint import Endpoint
from airflow_legacy_events.core.errors import ConfigurationError, ConnectError, StoppedError
from airflow_legacy_events.core.stop import Stop

SECRET = "open-sesame-77"
VERSION = (200, {"version": "4.3.0"})


class Server(ThreadingHTTPServer):
    """Answers in turn; the last answer stays. An answer of None is a connection that is cut."""

    daemon_threads = True

    def __init__(self):
        self.answers, self.requests = [], []
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_any(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append((self.command, self.path, dict(self.headers)))
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is None:
            self.close_connection = True
            return
        status, body = answer
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_PUT = do_POST = do_DELETE = do_any  # noqa: N815

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(client, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(client, "_LONGEST_PAUSE", 0.02)
    monkeypatch.setattr(client, "UNKNOWN_SECONDS", 0.1)
    monkeypatch.setattr(client, "SLOW_SECONDS", 0.3)
    monkeypatch.setattr(client, "LOOK_SECONDS", 0.02)
    with Server() as made:
        threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield made
        made.shutdown()


def endpoint(*addresses, **changed):
    return Endpoint(name="connection 'x'", addresses=addresses, **changed)


@pytest.fixture(params=["sync", "async"])
def send(request, server):
    """Sends a call by either client."""

    def sync(call, *addresses, seconds=5, **changed):
        found = endpoint(*(addresses or [server.url]), **changed)
        with client.ConnectClient(found, Deadline(dt.timedelta(seconds=seconds))) as made:
            return made.send(call)

    def by_trigger(call, *addresses, seconds=5, **changed):
        async def run():
            found = endpoint(*(addresses or [server.url]), **changed)
            async with client.AsyncConnectClient(found, Deadline(dt.timedelta(seconds=seconds))) as made:
                return await made.send(call)

        return asyncio.run(run())

    return sync if request.param == "sync" else by_trigger


@pytest.mark.parametrize(
    "passing",
    [
        (404, "<html>"),
        (409, {"error_code": 409, "message": "stale configuration"}),
        (500, {"message": "Request cannot be completed because a rebalance is expected"}),
        (500, {"message": "Request timed out"}),
        (500, {"message": "IO Error trying to forward REST request: refused"}),
        (502, "<html>"),
        (503, ""),
        (504, {"message": "x"}),
        None,
    ],
)
def test_what_passes_is_sent_again(server, send, passing):
    server.answers = [passing, passing, VERSION]

    assert send(calls.worker()) == VERSION[1]
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("answer", "status", "again"),
    [
        ((400, {"message": "no connector type"}), 400, False),
        ((401, {"message": "User cannot access the resource."}), 401, False),
        ((403, ""), 403, False),
        ((409, {"message": "Connector c already exists"}), 409, False),
        ((500, {"message": "NullPointerException"}), 500, True),
        ((302, "moved"), 302, False),
    ],
)
def test_what_does_not_pass_is_an_error_at_once(server, send, answer, status, again):
    server.answers = [answer]
    with pytest.raises(ConnectError) as raised:
        send(calls.create("c", {}))

    assert (raised.value.status, raised.value.retry_helps) == (status, again)
    assert len(server.requests) == 1


def test_a_missing_connector_is_a_result_of_a_read_and_an_error_of_a_write(server, send):
    server.answers = [(404, {"error_code": 404, "message": "Unknown connector c"})]

    assert send(calls.status("c")) is None
    assert send(calls.delete("c")) is None
    with pytest.raises(ConnectError, match="Unknown connector c"):
        send(calls.set_state("c", "paused"))


@pytest.mark.parametrize("unknown", [None, (504, ""), (500, {"message": "timed out"})])
def test_a_write_that_was_carried_out_is_not_repeated(server, send, unknown):
    server.answers = [unknown, (200, {"a": "0", "name": "c"}), (200, {"a": "1", "name": "c"})]
    send(calls.put_config("c", {"a": "1"}))

    assert [one[0] for one in server.requests] == ["PUT", "GET", "GET"]


@pytest.mark.parametrize("unknown", [None, (504, "")])
def test_a_write_that_was_not_carried_out_is_sent_again_once_the_state_has_held(server, send, unknown):
    server.answers = [unknown, (200, {"a": "0", "name": "c"})]
    began = time.monotonic()
    send(calls.put_config("c", {"a": "1"}))

    methods = [one[0] for one in server.requests]
    assert (methods[0], methods[-1], {*methods[1:-1]}) == ("PUT", "PUT", {"GET"})
    assert time.monotonic() - began >= client.UNKNOWN_SECONDS


def test_a_creation_that_was_carried_out_late_is_no_conflict(server, send, monkeypatch):
    exists = (409, {"message": "Connector c already exists"})
    config = {"a": "1"}
    server.answers = [None, (404, {"message": "not found"}), exists, (200, {**config, "name": "c"})]
    monkeypatch.setattr(client, "UNKNOWN_SECONDS", 0)
    send(calls.create("c", config))

    assert [one[0] for one in server.requests] == ["POST", "GET", "POST", "GET"]


def test_a_write_of_which_nothing_shows_that_it_happened_is_an_error(server, send):
    server.answers = [None]
    with pytest.raises(ConnectError, match=r"outcome of POST .* is unknown"):
        send(calls.restart("c"))
    assert len(server.requests) == 1


def test_an_answer_that_is_no_json_is_not_kafka_connect(server, send):
    server.answers = [(200, "<html>a login page")]
    with pytest.raises(ConnectError, match="not JSON, so this is not Kafka Connect") as raised:
        send(calls.worker())
    assert not raised.value.retry_helps

    server.answers = [(200, {"hits": []})]
    with pytest.raises(ConnectError, match="another form"):
        send(calls.status("c"))


def test_the_next_address_is_used_and_kept(server, send):
    server.answers = [VERSION]

    assert send(calls.worker(), "http://127.0.0.1:1", server.url) == VERSION[1]


def test_a_cluster_that_is_away_is_an_error_in_time(send):
    began = time.monotonic()
    with pytest.raises(ConnectError, match=r"http://127\.0\.0\.1:1, http://127\.0\.0\.1:2") as raised:
        send(calls.worker(), "http://127.0.0.1:1", "http://127.0.0.1:2", seconds=0.2)

    assert time.monotonic() - began < 3
    assert raised.value.retry_helps


def test_login_and_headers_are_sent_and_are_in_no_error(server, send):
    server.answers = [(400, {"message": f"config {{password={SECRET}, key=header-99, p=in-config}}"})]
    login = {"login": "ann", "password": SECRET, "headers": {"X-Key": "header-99"}}
    with pytest.raises(ConnectError) as raised:
        send(calls.create("c", {}, secrets={"in-config"}), **login)

    ((_, _, headers),) = server.requests
    assert headers["Authorization"].startswith("Basic ")
    assert headers["X-Key"] == "header-99"
    assert str(raised.value).endswith("{password=***, key=***, p=***}")
    assert SECRET not in repr(endpoint("http://h", **login))
    assert "header-99" not in repr(endpoint("http://h", **login))


def test_a_long_answer_is_cut_and_names_are_encoded(server, send):
    server.answers = [(400, {"message": "x" * 9_000})]
    with pytest.raises(ConnectError) as raised:
        send(calls.set_state("a b ä/%", "stopped"))

    assert len(str(raised.value)) < 700
    assert server.requests[0][1] == "/connectors/a%20b%20%C3%A4%2F%25/stop"


def test_tls_against_a_plain_server_is_an_error_at_once(server, send):
    server.answers = [VERSION]
    with pytest.raises(ConnectError, match="no TLS connection") as raised:
        send(calls.worker(), server.url.replace("http:", "https:"))
    assert not raised.value.retry_helps
    with pytest.raises(ConfigurationError, match="`verify` and `cert`"):
        send(calls.worker(), "https://h", verify="/not/there.pem")


def test_a_stop_ends_waiting(server):
    server.answers = [(503, "")]
    stop = Stop()
    threading.Timer(0.1, stop.request).start()
    with (
        client.ConnectClient(endpoint(server.url), Deadline(dt.timedelta(seconds=60), stop)) as made,
        pytest.raises(StoppedError),
    ):
        made.send(calls.worker())
