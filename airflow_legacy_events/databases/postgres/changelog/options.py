"""What a reader of the change log is given by the change log that it belongs to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import psycopg

from airflow_legacy_events.core.limits import MAX_ROW_BYTES
from airflow_legacy_events.core.model.log import TableName

Connect: TypeAlias = Callable[[], psycopg.Connection[Any]]
Catalog: TypeAlias = Callable[[], AbstractContextManager[psycopg.Connection[Any]]]

_log = logging.getLogger(__name__)


def not_partitioned(table: TableName) -> Collection[int]:  # noqa: ARG001  the default of `ReaderOptions.leaves_of`
    """Return no leaves: every table is its own."""
    return ()


def as_logged(table: TableName) -> Sequence[str] | None:  # noqa: ARG001  the default of `ReaderOptions.held_of`
    """Return None: old rows hold what the log says that they hold."""
    return None


def nobody(pid: int) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class ReaderOptions:
    """Arguments of a reader. All callables but `reported` are called from the reading thread.

    Attributes:
        conn_id: Airflow's name of the connection, for messages.
        connect: opens a replication connection, as `walsender.connect_replicating` does. Its errors are raised as they
            are.
        catalog: yields a plain session in autocommit mode; a relation of the log needs it once.
        slot: name of the replication slot.
        publication: name of the publication.
        transaction: returns a 64-bit transaction ID of about now, such as `pg_snapshot_xmax(pg_current_snapshot())`;
            called once a read.
        root_of: returns the root of a relation by its oid, schema and name: the table itself unless it is a partition.
        key_of: returns the names of a table's message key. An UPDATE that changes one of them is a `d` and a `c`; where
            the log has not the old key, a `LogGap` stands for the change. Empty for a table without a key.
        leaves_of: returns the oids of all leaves of a partitioned table; empty for other tables.
        held_of: returns the only columns whose old values can be trusted, for a table of a publication with
            `publish_via_partition_root` where a leaf has another replica identity than its root; None: as logged.
        timeout_seconds: after which a server that neither sends nor answers is given up.
        before: whether old rows are returned.
        max_row_bytes: raw bytes of a row; a larger one is a `LogGap`.
        messages: prefixes of the logical messages that are returned.
        reported: called once with the walsender's pid, from the thread that reported the first place to the server.
        log: of the task.
    """

    conn_id: str
    connect: Connect
    catalog: Catalog
    slot: str
    publication: str
    transaction: Callable[[], int]
    root_of: Callable[[int, str, str], TableName]
    key_of: Callable[[TableName], Sequence[str]]
    leaves_of: Callable[[TableName], Collection[int]] = not_partitioned
    held_of: Callable[[TableName], Sequence[str] | None] = as_logged
    timeout_seconds: float = 300.0
    before: bool = False
    max_row_bytes: int = MAX_ROW_BYTES
    messages: tuple[str, ...] = ()
    reported: Callable[[int], None] = nobody
    log: logging.Logger = field(default=_log)
