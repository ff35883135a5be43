"""Statements of a writing session, sent through the driver in pieces that the server takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import MySQLdb

from airflow_legacy_events.core.ports.target import ObjectionError

MOST_BYTES = 2**20
"""Bytes of a statement of many rows. Longer ones were not faster."""

MOST_ROWS = 2_000
_PACKET_HEAD_BYTES = 64
"""Bytes that a packet needs beside its statement, generously."""


class Sender:
    """Runs statements on a driver's connection.

    Args:
        driver: the connection.
        packet: `max_allowed_packet`.
        watching: returns a context that cancels what runs longer than the statement timeout.
    """

    def __init__(self, driver: Any, packet: int, watching: Callable[[], AbstractContextManager[Any]]) -> None:
        self._driver, self._packet, self._watching = driver, packet, watching
        self.quote: Callable[[str | bytes], bytes] = driver.string_literal

    def change(self, statement: bytes) -> int:
        """Run a statement; return how many rows it changed, or matched and left as they were."""
        with self._watching():
            try:
                self._driver.query(statement)
                self._driver.store_result()
                return int(self._driver.affected_rows())
            except MySQLdb.Error as error:
                raise self._known(error) from None

    def rows(self, statement: bytes) -> list[tuple[Any, ...]]:
        """Run a statement; return its rows."""
        with self._watching():
            try:
                with self._driver.cursor() as cursor:
                    cursor.execute(statement)
                    return list(cursor.fetchall())
            except MySQLdb.Error as error:
                raise self._known(error) from None

    def pieces(self, parts: Sequence[bytes], around: int, joint: bytes = b",") -> Iterator[tuple[bytes, int]]:
        """Yield parts of statements, joined so that each statement is short enough, and the number of parts in it.

        Args:
            parts: such as the values of each row.
            around: bytes that stand before and behind them.
            joint: between two parts.

        Raises:
            ObjectionError: one part alone is above what the server takes.
        """
        first, size = 0, 0
        most = min(MOST_BYTES, self._packet - _PACKET_HEAD_BYTES) - around
        for at, part in enumerate(parts):
            length = len(part) + len(joint)
            if length + around + _PACKET_HEAD_BYTES > self._packet:
                raise self._too_large(length + around)
            if at > first and (size + length > most or at - first == MOST_ROWS):
                yield joint.join(parts[first:at]), at - first
                first, size = at, 0
            size += length
        if first < len(parts):
            yield joint.join(parts[first:]), len(parts) - first

    def _too_large(self, size: int) -> ObjectionError:
        return ObjectionError(
            "SIZE",
            f"the row takes {size} bytes in a statement, and the server takes {self._packet}; raise its"
            " max_allowed_packet",
        )

    def _known(self, error: MySQLdb.Error) -> MySQLdb.Error:
        """Return an error of the server with its SQLSTATE."""
        error.sqlstate = self._driver.sqlstate()
        return error
