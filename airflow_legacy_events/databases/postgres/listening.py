"""PostgreSQL LISTEN on a dedicated session that is read all the time, so that no notification waits for it.

A listening session that is not read, or is in a transaction, keeps the server-wide notification queue from shrinking.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, TypeAlias

import psycopg
from psycopg import sql

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.deadline import answering
from airflow_legacy_events.databases.postgres.limits import without_limits
from airflow_legacy_events.databases.postgres.session import cut, reason

Connect: TypeAlias = Callable[[], psycopg.Connection[Any]]

PROBE_SECONDS = 60.0
"""Seconds of silence after which a listening session checks whether its peer is still there."""

_ARRIVAL_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
_LONGEST_NAME_BYTES = 63
_DOING = "listening for notifications"


class ListenSession:
    """See `core.ports.Listener`.

    Args:
        connection: in autocommit mode and already listening; nothing else may use it.
        channel: the channel whose notifications count.
        conn_id: Airflow's name of the connection, for messages.
    """

    def __init__(self, connection: psycopg.Connection[Any], channel: str, conn_id: str) -> None:
        self._connection, self._channel, self._conn_id = connection, channel.encode(), conn_id
        self._ended, self._ending = socket.socketpair()
        self._quiet = False
        self._heard: set[bytes] = set()  # notifications that came with an answer
        connection.add_notify_handler(lambda notify: self._heard.add(notify.channel.encode()))

    def wait(self) -> bool:
        """See `core.ports.Listener.wait`."""
        try:
            while not self._over(PROBE_SECONDS):
                if self._received(self._channel):
                    return True
                if self._quiet:
                    self._probe()
        except psycopg.Error as error:
            raise errors.failed(self._conn_id, _DOING, reason(error)) from None
        return False

    def _probe(self) -> None:
        """Probe the peer: if it doesn't answer, it would not deliver notifications either."""
        with answering(self._conn_id, _DOING, _ANSWER_SECONDS, partial(cut, self._connection)):
            self._connection.execute("SELECT 1")

    def arrives(self, channel: str, seconds: float) -> bool:
        """Whether a notification arrives on another channel within so many seconds."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if not self._over(left) and self._received(channel.encode()):
                return True
        return False

    def end(self) -> None:
        """See `core.ports.Listener.end`."""
        with contextlib.suppress(OSError):  # it is closed already
            self._ending.send(b".")

    def close(self) -> None:
        """Close the session; called by the thread that waited."""
        self._connection.close()
        self._ended.close()
        self._ending.close()

    def _over(self, seconds: float) -> bool:
        """Wait until the server sends something or the time is up; return whether the session was ended instead."""
        ready = select.poll()
        for one in (self._connection.fileno(), self._ended.fileno()):
            ready.register(one, select.POLLIN)
        found = ready.poll(seconds * 1000)
        self._quiet = not found
        return any(one == self._ended.fileno() for one, _ in found)

    def _received(self, channel: bytes) -> bool:
        """Consume everything that was sent; return whether it contained a notification of the channel."""
        wire, found, more = self._connection.pgconn, channel in self._heard, True
        self._heard.clear()
        while more:  # TLS may buffer more than one read returns
            more = False
            wire.consume_input()
            while one := wire.notifies():
                more, found = True, found or one.relname == channel
        return found


def listening(connect: Connect, channel: str, conn_id: str) -> AbstractContextManager[ListenSession]:
    """Return a context that listens to a channel; see `core.ports.Database.listen`.

    Args:
        connect: opens a session of the database.
        channel: as passed to `pg_notify`.
        conn_id: Airflow's name of the connection, for messages.

    Raises:
        ConfigurationError: no channel can have that name.
    """
    if not 0 < len(channel.encode()) <= _LONGEST_NAME_BYTES:
        raise ConfigurationError(f"channel={channel!r}: a channel has 1 to {_LONGEST_NAME_BYTES} bytes")
    return _listening(connect, channel, conn_id)


@contextmanager
def _listening(connect: Connect, channel: str, conn_id: str) -> Iterator[ListenSession]:
    own = f"legacy_events_{uuid.uuid4().hex}"
    connection = connect()
    listener = ListenSession(connection, channel, conn_id)
    try:
        with _explained(channel, conn_id), answering(conn_id, _DOING, _ANSWER_SECONDS, partial(cut, connection)):
            limits = without_limits(connection.info.server_version)
            connection.execute(f"{limits}; SET statement_timeout = 0; SET default_transaction_read_only = on".encode())
            for name in (channel, own):
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(name)))
            with (
                contextlib.closing(connect()) as other,  # a pooler may echo a session's own NOTIFY
                answering(conn_id, _DOING, _ANSWER_SECONDS, partial(cut, other)),
            ):
                other.execute("SELECT pg_catalog.pg_notify(%s, '')", [own])
            if not listener.arrives(own, _ARRIVAL_SECONDS):
                for name in (channel, own):  # the pooler keeps the session
                    connection.execute(sql.SQL("UNLISTEN {}").format(sql.Identifier(name)))
                raise _lost(channel, conn_id)
        yield listener
    finally:
        listener.close()


def _lost(channel: str, conn_id: str) -> ConfigurationError:
    return ConfigurationError(
        f"channel={channel!r} was given, but a notification sent through connection {conn_id!r} did not come back"
        f" within {_ARRIVAL_SECONDS:g} s: a pooler in transaction or statement mode, such as PgBouncer, loses LISTEN."
        " Point the connection at the server itself, or at a pooler in session mode"
    )


@contextmanager
def _explained(channel: str, conn_id: str) -> Iterator[None]:
    try:
        yield
    except psycopg.errors.ReadOnlySqlTransaction as error:
        raise ConfigurationError(
            f"channel={channel!r} was given, but the server behind connection {conn_id!r} is a standby, which can't"
            f" listen: {reason(error)}. Point the connection at the primary, or leave channel= out"
        ) from None
    except psycopg.Error as error:
        raise errors.failed(conn_id, _DOING, reason(error)) from None
