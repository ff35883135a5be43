"""Arguments of an outbox, resolved against the catalog."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.ports import Database, Reflection
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.sources import withheld
from airflow_legacy_events.sources.outbox import checks
from airflow_legacy_events.sources.outbox.layouts import find_roles
from airflow_legacy_events.sources.outbox.marking import find_marking
from airflow_legacy_events.sources.outbox.table import OutboxTable, select_outbox
from airflow_legacy_events.sources.roles import ROLES
from airflow_legacy_events.sources.selection import Selection


@dataclass(kw_only=True)
class OutboxArguments:
    """Arguments of an outbox source.

    Attributes:
        database: where the table is.
        stream: name of the stream, for messages.
        source: name of the connection, kept with the watermark.
        table: as written by the user, `schema.table` or `table`.
        layout: name of the layout, which assigns roles to columns; see `sources.roles.LAYOUTS`.
        columns: overrides of the layout by role.
        order_columns: in which rows are read. None: an integer id, else timestamp and id; where rows are kept,
            timestamp and id if there is a timestamp, else the id.
        after_publish: `delete` published rows, `mark` them, or `keep` them as they are.
        mark_column: the column that is marked.
        mark_values: of open and of published rows, for a column of integers or texts.
        where: condition of the rows to drain; None: all.
        retention: published rows of at least this age are deleted after the drain; None: none is.
        message_names: roles or columns that messages need, for topics and headers.
        limits: budgets of the run.
        source_timezone: name of the zone of naive times; None: UTC. Where rows are kept, as in `sources.query`.
    """

    database: Database
    stream: str
    source: str
    table: str
    layout: str = "debezium"
    columns: Mapping[str, str | None] = field(default_factory=dict)
    order_columns: tuple[str, ...] | None = None
    after_publish: str = "delete"
    mark_column: str = "published_at"
    mark_values: Sequence[Any] | None = None
    where: str | None = None
    retention: dt.timedelta | None = None
    message_names: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    source_timezone: str | None = None
    log: logging.Logger = field(default_factory=lambda: logging.getLogger(__name__))

    def find(self) -> OutboxTable:
        """Return the table after finding all columns named by the arguments.

        Raises:
            ConfigurationError: all faults are in one error.
        """
        found, problems = self.database.reflect(self.table, None), Problems()
        parts: dict[str, Any] = {"condition": None, "marking": None}
        with problems.collect():
            parts["roles"], parts["selection"], parts["key"] = self._select(found)
        with problems.collect():
            parts["condition"] = checks.condition_of(self.where, found, self.database)
        if self.after_publish == "mark":
            with problems.collect():
                marks = self.mark_column, self.mark_values
                parts["marking"] = find_marking(self.table, *marks, found, self.database)
        problems.raise_found()
        return OutboxTable(
            database=self.database,
            written=self.table,
            found=found,
            version=self._version(found),
            kept=self.after_publish == "keep",
            **parts,
        )

    def _version(self, found: Reflection) -> Column | None:
        """Return the hidden row version column; if it can't be read, rows are locked and compared instead.

        Raises:
            ConfigurationError: it can't be read, and a user with only the DELETE privilege can't lock a row.
        """
        version = None if self.after_publish == "keep" else self.database.version
        if version is None or version.name not in found.withheld.hidden:
            return version
        if self.after_publish == "delete":
            withheld.refuse(f"table {self.table!r}", found, [version.name], "or use after_publish='mark'")
        return None

    def _select(self, found: Reflection) -> tuple[Mapping[str, str], Selection, tuple[Column, ...]]:
        roles = find_roles(self.table, self.layout, self.columns, found)
        named = [roles.get(name, name) for name in self.message_names]
        there = {column.name for column in found.columns}
        if missing := [name for name in named if name in ROLES and name not in there]:
            raise ConfigurationError(
                f"topic= or headers= name {', '.join(map(repr, missing))}, but table {self.table!r} has no such column;"
                " nothing was read. Map it with columns={...}"
            )
        order = self.order_columns
        if order is None and self.after_publish == "keep" and "timestamp" in roles:
            order = (roles["timestamp"], roles["id"])
        return roles, *select_outbox(self.table, roles, order, named, found, self.database, self._version(found))
