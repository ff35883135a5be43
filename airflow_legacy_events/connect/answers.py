"""Rules for a worker's answers: what is a result, what is an error, and after what a request is sent again."""

from __future__ import annotations

import json
import ssl
from collections.abc import Collection
from typing import Any

import httpx

from airflow_legacy_events.connect.endpoint import Endpoint
from airflow_legacy_events.core.errors import ConnectError
from airflow_legacy_events.core.printable import printable

CONFLICT = 409
"""A rebalance is under way, or a connector of that name is there already."""

LONGEST_SHOWN = 500
"""Characters of an answer that an error shows: one about an unknown class lists every plugin."""

_SHORTEST_SECRET = 3
_LOGIN = (401, 403)
_GATEWAY = (502, 503, 504)
_MISSING = 404
_BROKEN = 500
_FORWARDING = "io error trying to forward"
_SLOW = "timed out"
_REBALANCE = "rebalance is expected"
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class TryAgainError(Exception):
    """A request failed in a way that passes.

    Attributes:
        reason: what happened, for a person.
        unknown: whether the request may have been carried out nevertheless, or may be later.
        slow: whether a worker still works on it.
    """

    def __init__(self, reason: str, *, unknown: bool = False, slow: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.unknown, self.slow = reason, unknown, slow


class MissingError(Exception):
    """A worker says, in JSON, that what was requested is not there."""


def result(response: httpx.Response, *, endpoint: Endpoint, secrets: Collection[str] = ()) -> Any:
    """Return the JSON of an answer; None where it has no content.

    Args:
        response: of a worker, or of what stands before it.
        endpoint: that was spoken to.
        secrets: texts that an error must not show, besides those of the endpoint.

    Raises:
        TryAgainError: it passes: a rebalance, a worker that is starting, a gateway, a time limit inside the worker.
        MissingError: 404 in JSON.
        ConnectError: anything else that is not a success.
    """
    body = _json(response)
    if response.is_success:
        if body is None and response.content.strip():
            raise _no_json(response, endpoint)
        return body
    text = _message(response, body, secrets={*secrets, *endpoint.secrets})
    _raise_passing(response.status_code, body, text)
    if response.status_code == _MISSING:
        raise MissingError(text)
    if response.status_code in _LOGIN:
        raise ConnectError(
            f"Kafka Connect refuses the login ({response.status_code}): check login, password and headers of"
            f" {endpoint.name}. It was {response.request.url}. {text}",
            retry_helps=False,
            status=response.status_code,
        )
    raise ConnectError(
        f"Kafka Connect refused {response.request.method} {response.request.url.path} with {response.status_code}:"
        f" {text}",
        retry_helps=response.status_code >= _BROKEN,
        status=response.status_code,
    )


def failure(error: httpx.HTTPError | httpx.InvalidURL, endpoint: Endpoint) -> TryAgainError | ConnectError:
    """Return what a request without an answer means.

    Args:
        error: of httpx.
        endpoint: that was spoken to.
    """
    reason = f"{type(error).__name__}{f': {error}' if str(error) else ''}"
    if _is_tls(error):
        return ConnectError(
            "no TLS connection to Kafka Connect: check the schema, and `verify` and `cert` in the extra, of"
            f" {endpoint.name}. {reason}",
            retry_helps=False,
        )
    if not isinstance(error, httpx.TransportError):
        return ConnectError(f"Kafka Connect can't be used: check host, port and schema of {endpoint.name}. {reason}")
    return TryAgainError(reason, unknown=not isinstance(error, _NEVER_SENT))


def without(secrets: Collection[str], text: str) -> str:
    """Return a text with `***` in place of each secret."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return text


def _raise_passing(status: int, body: Any, text: str) -> None:
    low = text.lower()
    if status == CONFLICT and "already exists" not in low:
        raise TryAgainError(f"409: {text}")
    if status == _MISSING and not isinstance(body, dict):
        raise TryAgainError("404 without JSON, as of a worker that is starting, or of another program at this address")
    if status in _GATEWAY:
        raise TryAgainError(f"{status}: {text}", unknown=True)
    if status == _BROKEN and _REBALANCE in low:
        raise TryAgainError(f"500: {text}")
    if status == _BROKEN and (_SLOW in low or _FORWARDING in low):
        raise TryAgainError(f"500: {text}", unknown=True, slow=_SLOW in low)


def _no_json(response: httpx.Response, endpoint: Endpoint) -> ConnectError:
    return ConnectError(
        f"the answer is not JSON, so this is not Kafka Connect: check host, port and schema of {endpoint.name}."
        f" It was {response.request.url}, with {response.status_code} and content of type"
        f" {response.headers.get('content-type', 'unknown')!r}",
        retry_helps=False,
    )


def _json(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content)
    except ValueError:
        return None


def _message(response: httpx.Response, body: Any, secrets: Collection[str]) -> str:
    found = body.get("message") if isinstance(body, dict) else None
    if found is None and body is None:
        return response.reason_phrase or "no reason was given"
    text = printable(without(secrets, " ".join(str(body if found is None else found).split())))
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
