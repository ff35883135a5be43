"""Time zone of naive times, and the default if the user names none.

Example: read as UTC, the newest rows of a server in Berlin would be ahead of its clock, and wait for an hour or two.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

from airflow_legacy_events.core.columns import Column, Elements, Kind
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import Database, ServerZone
from airflow_legacy_events.core.zones import OF_DATABASE, offset_named
from airflow_legacy_events.sources.selection import Selection

_NAIVE = frozenset({Kind.TIMESTAMP, Kind.DATE})


class NaiveColumns(NamedTuple):
    """Names of the columns whose values need a time zone.

    Attributes:
        deciding: rows are bounded, filtered or timed by them.
        others: only sent.
    """

    deciding: tuple[str, ...]
    others: tuple[str, ...]

    @classmethod
    def of(
        cls, columns: Sequence[Column], selection: Selection, names: Sequence[str], times: Sequence[str], *, sent: bool
    ) -> NaiveColumns:
        """Return the naive columns of a selection.

        Args:
            columns: of the table or query.
            selection: columns to read.
            names: columns that rows are ordered by.
            times: columns with a row's time; some may not exist.
            sent: whether the others are sent in UTC, rather than as the database writes them.
        """
        shape, kinds = selection.shape, {column.name: column.kind for column in columns}
        dated = {
            *times,
            *(one.name for one in selection.columns[:1]),
            *(() if shape.time is None else shape.named([shape.time])),
        }
        deciding = [name for name in dict.fromkeys((*names, *times)) if kinds.get(name) in _NAIVE]
        deciding = [name for name in deciding if kinds[name] is Kind.TIMESTAMP or name in dated]
        others = [one.name for one in shape.columns if sent and one.name not in deciding and _holds_times(one)]
        return cls(tuple(deciding), tuple(others))


def find_zone(given: str | None, database: Database, what: str, naive: NaiveColumns, log: logging.Logger) -> str:
    """Return the name of the zone of naive times.

    Args:
        given: `source_timezone`.
        database: may report the server's own zone.
        what: the table or query, for messages.
        naive: its columns.
        log: of the task.

    Raises:
        ConfigurationError: `given` is None and the server's zone is not UTC; or it is `database` and the server's
            setting names no zone.
    """
    if given not in (None, OF_DATABASE):
        return str(given)
    server = database.zone()
    if server is None or server.name == "UTC":
        return "UTC"
    if given == OF_DATABASE:
        return _taken(server, database, what, log)
    if naive.deciding:
        raise _undecided(server, database, what, naive.deciding)
    if naive.others:
        log.warning(
            "%s: %s without a zone, sent as UTC, and the server's zone is %s\nGive source_timezone=%s",
            what,
            _holding(naive.others),
            server.said,
            _choice(server),
        )
    return "UTC"


def _taken(server: ServerZone, database: Database, what: str, log: logging.Logger) -> str:
    if server.name is None:
        raise ConfigurationError(
            f"source_timezone={OF_DATABASE!r} was given, and {_zone(server, database)}, which names no zone with its"
            ' daylight-saving rules; nothing was read.\nGive source_timezone="Europe/Berlin", or whichever zone it is'
        )
    fixed = ", all year: in winter as in summer" if offset_named(server.name) is not None else ""
    log.info("%s: times without a zone are read as %s%s; %s", what, server.name, fixed, _zone(server, database))
    return server.name


def _undecided(server: ServerZone, database: Database, what: str, names: Sequence[str]) -> ConfigurationError:
    return ConfigurationError(
        f"{what}: {_holding(names)} without a zone, and {_zone(server, database)}, not UTC; nothing was"
        f" read.\nGive source_timezone={_choice(server)}"
    )


def _choice(server: ServerZone) -> str:
    if server.name is None:
        return '"Europe/Berlin" or whichever zone it is, or "UTC" if the values are in UTC'
    return f'"{server.name}", or "UTC" if the values are in UTC, or "{OF_DATABASE}" for the server\'s own'


def _holding(names: Sequence[str]) -> str:
    return f"{', '.join(map(repr, names))} {'holds' if len(names) == 1 else 'hold'} times"


def _zone(server: ServerZone, database: Database) -> str:
    origin = database.zone_origin()
    return f"the server's zone is {server.said}" + ("" if origin is None else f", which is set for {origin}")


def _holds_times(column: Column) -> bool:
    elements: Elements | None = column.elements
    while elements is not None and elements.elements is not None:
        elements = elements.elements
    return (column.kind if elements is None else elements.kind) is Kind.TIMESTAMP
