"""Clients of a Kafka Connect cluster, one for tasks and one for triggers, over the same rules.

A request is sent again, with growing pauses and until the deadline, after what passes: see `answers`. A write whose
outcome is unknown is not: what it would have changed is read first, for as long as the worker may still be at it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any, NoReturn, Self, TypeVar

import httpx
from tenacity import AsyncRetrying, RetryCallState, Retrying, retry_if_exception, wait_exponential, wait_random

from airflow_legacy_events.connect.answers import CONFLICT, MissingError, TryAgainError, failure, result
from airflow_legacy_events.connect.calls import Call
from airflow_legacy_events.connect.deadline import Deadline
from airflow_legacy_events.connect.endpoint import Endpoint
from airflow_legacy_events.core.errors import ConnectError

T = TypeVar("T")

UNKNOWN_SECONDS = 5.0
"""How long the state is read after a connection was cut during a write, or a gateway gave up on it."""
SLOW_SECONDS = 30.0
"""Likewise after a worker said that the write timed out inside it: it is often carried out later."""
LOOK_SECONDS = 0.5
"""Between two of these reads."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_SHORTEST_TIMEOUT = 0.05
_LONGEST_CONNECTING = 10.0


class SilentError(ConnectError):
    """There was no usable answer until the deadline."""


class _Client:
    """What both clients know: addresses, deadline, and the rules."""

    def __init__(self, endpoint: Endpoint, deadline: Deadline) -> None:
        self.endpoint, self.deadline = endpoint, deadline
        self._first = 0
        self._options: dict[str, Any] = {
            "auth": endpoint.auth,
            "headers": {"Accept": "application/json", **endpoint.headers},
            "verify": endpoint.tls(),
        }

    def _addresses(self) -> Iterator[str]:
        """Yield each address once; the one that answered last comes first."""
        all_ = self.endpoint.addresses
        for turn in range(len(all_)):
            place = (self._first + turn) % len(all_)
            yield all_[place]
            self._first = (place + 1) % len(all_)  # reached only if that one failed

    def _arguments(self, call: Call[Any], address: str) -> dict[str, Any]:
        if call.writes and self.deadline.over:
            raise TryAgainError("no time was left to send it")
        seconds = max(_SHORTEST_TIMEOUT, min(self.endpoint.timeout, self.deadline.remaining))
        connecting = min(_LONGEST_CONNECTING, seconds / len(self.endpoint.addresses))
        body = {} if call.body is None else {"json": call.body}
        timeout = httpx.Timeout(seconds, connect=connecting)
        where = {"method": call.method, "url": f"{address}{call.path}", "params": dict(call.params)}
        return {**where, "timeout": timeout, **body}

    def _read(self, call: Call[T], response: httpx.Response) -> T:
        try:
            found = result(response, endpoint=self.endpoint, secrets=call.secrets)
        except MissingError as error:
            if not call.missing:
                message = f"Kafka Connect refused {call.method} {response.request.url.path} with 404: {error}"
                raise ConnectError(message, retry_helps=False, status=404) from None
            found = None
        try:
            return call.parse(found)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ConnectError(
                f"the answer to {call.method} {call.path} has another form than Kafka Connect's: check that"
                f" {self.endpoint.name} leads to Kafka Connect 3.6 or later. {type(error).__name__}",
                retry_helps=False,
            ) from None

    def _retrying(self, call: Call[Any]) -> dict[str, Any]:
        def again(error: BaseException) -> bool:
            return isinstance(error, TryAgainError) and not (call.writes and error.unknown)

        def stop(state: RetryCallState) -> bool:
            return state.upcoming_sleep >= self.deadline.remaining

        pauses = wait_exponential(multiplier=_FIRST_PAUSE, max=_LONGEST_PAUSE) + wait_random(0, _FIRST_PAUSE)
        return {"retry": retry_if_exception(again), "stop": stop, "wait": pauses, "reraise": True}

    def _settling(self, call: Call[Any], error: TryAgainError) -> tuple[Call[bool], float]:
        """Return what shows whether a write was carried out, and until when it may still be.

        Raises:
            ConnectError: nothing shows it.
            SilentError: the deadline is over.
        """
        if not call.writes or not error.unknown:
            self._silent(error)
        if call.applied is None:
            raise ConnectError(
                f"the outcome of {call.method} {call.path} is unknown: look at the connector's state before it is sent"
                f" again. {error.reason}"
            )
        return call.applied, time.monotonic() + (SLOW_SECONDS if error.slow else UNKNOWN_SECONDS)

    def _settled(self, lost: TryAgainError, until: float) -> bool:
        """Return whether a write that is not seen may be sent again.

        Raises:
            SilentError: the deadline is over.
        """
        if self.deadline.over:
            self._silent(lost)
        return time.monotonic() >= until

    def _silent(self, error: TryAgainError) -> NoReturn:
        raise SilentError(
            f"Kafka Connect did not answer within {self.deadline.timeout}: check that a worker runs, and host, port and"
            f" schema of {self.endpoint.name}. It has {', '.join(self.endpoint.addresses)}. Last: {error.reason}"
        ) from None


class ConnectClient(_Client):
    """Client of a task; blocks.

    Args:
        endpoint: the cluster.
        deadline: until which a request is sent again.
    """

    def __init__(self, endpoint: Endpoint, deadline: Deadline) -> None:
        super().__init__(endpoint, deadline)
        self._http = httpx.Client(**self._options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def send(self, call: Call[T]) -> T:
        """Return the result of a request.

        Raises:
            ConnectError: it was refused.
            SilentError: there is no usable answer until the deadline.
            StoppedError: a stop was requested.
        """
        lost: TryAgainError | None = None
        while True:
            try:
                found: T = Retrying(**self._retrying(call), sleep=self.deadline.wait)(self._once, call)
                return found  # noqa: TRY300
            except ConnectError as error:
                late = lost is not None and error.status == CONFLICT
                if not late or call.applied is None or not self.send(call.applied):
                    raise
                return call.parse(None)  # the first one was carried out after all
            except TryAgainError as error:
                lost, (applied, until) = error, self._settling(call, error)
            while not self.send(applied):
                if self._settled(lost, until):
                    break
                self.deadline.wait(LOOK_SECONDS)
            else:
                return call.parse(None)

    def _once(self, call: Call[T]) -> T:
        last: TryAgainError | ConnectError | None = None
        for address in self._addresses():
            try:
                return self._read(call, self._http.request(**self._arguments(call, address)))
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                last = failure(error, self.endpoint)
            except TryAgainError as error:
                last = error
            if isinstance(last, ConnectError) or (call.writes and last.unknown):
                break
        raise last or AssertionError("an endpoint has addresses") from None


class AsyncConnectClient(_Client):
    """Client of a trigger; the same as `ConnectClient`.

    Args:
        endpoint: the cluster.
        deadline: until which a request is sent again.
    """

    def __init__(self, endpoint: Endpoint, deadline: Deadline) -> None:
        super().__init__(endpoint, deadline)
        self._http = httpx.AsyncClient(**self._options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def send(self, call: Call[T]) -> T:
        """Return the result of a request.

        Raises:
            ConnectError: it was refused.
            SilentError: there is no usable answer until the deadline.
        """
        lost: TryAgainError | None = None
        while True:
            try:
                return await AsyncRetrying(**self._retrying(call), sleep=asyncio.sleep)(self._once, call)
            except ConnectError as error:
                late = lost is not None and error.status == CONFLICT
                if not late or call.applied is None or not await self.send(call.applied):
                    raise
                return call.parse(None)  # the first one was carried out after all
            except TryAgainError as error:
                lost, (applied, until) = error, self._settling(call, error)
            while not await self.send(applied):
                if self._settled(lost, until):
                    break
                await asyncio.sleep(LOOK_SECONDS)
            else:
                return call.parse(None)

    async def _once(self, call: Call[T]) -> T:
        last: TryAgainError | ConnectError | None = None
        for address in self._addresses():
            try:
                return self._read(call, await self._http.request(**self._arguments(call, address)))
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                last = failure(error, self.endpoint)
            except TryAgainError as error:
                last = error
            if isinstance(last, ConnectError) or (call.writes and last.unknown):
                break
        raise last or AssertionError("an endpoint has addresses") from None
