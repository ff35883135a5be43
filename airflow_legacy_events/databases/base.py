"""What all SQL databases share: sessions, reflection and keyset conditions, through SQLAlchemy."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.model import Column
from airflow_legacy_events.databases.reflection import Reflected, inspect_table, query_source


class SqlDatabase(ABC):
    """Base of the databases that are reached through SQLAlchemy.

    Args:
        url: SQLAlchemy URL; its driver is the one that the subclass reads with.
        conn_id: Airflow's name of the connection, for messages.
        statement_timeout_seconds: after so long a statement of ours is ended.
        log: of the task.
    """

    def __init__(
        self, url: sa.URL, *, conn_id: str, statement_timeout_seconds: float, log: logging.Logger | None = None
    ) -> None:
        self.url, self.conn_id = url, conn_id
        self.statement_timeout_seconds = statement_timeout_seconds
        self.log = log or logging.getLogger(__name__)
        self._engine = self._make_engine()
        self._session: sa.Connection | None = None
        self._opening = threading.Lock()

    @abstractmethod
    def _make_engine(self) -> sa.Engine:
        """Return the engine of the database's own driver, without a pool."""

    @abstractmethod
    def _connect(self) -> sa.Connection:
        """Open the read session; driver errors become `SourceError`."""

    @property
    def session(self) -> sa.Connection:
        """The read-only session, opened at first use."""
        with self._opening:
            if self._session is None:
                self._session = self._connect()
            return self._session

    def reflect(self, table: str | None, sql: str | None) -> Reflected:
        """See `core.ports.Database.reflect`."""
        if sql is not None:
            selectable = query_source(sql)
            columns, refused = self._describe(selectable, frozenset())
            return Reflected(selectable, columns, refused)
        facts = inspect_table(self.session, str(table))
        element = sa.table(facts.name, schema=facts.schema)
        columns, refused = self._describe(element, facts.not_null)
        return Reflected(element, columns, refused, facts.primary_key, facts.unique, facts.indexes)

    @abstractmethod
    def _describe(self, selectable: Any, not_null: frozenset[str]) -> tuple[tuple[Column, ...], dict[str, str]]:
        """Return the columns that can be carried, and the names and types of those that can't."""

    def beyond(self, columns: Sequence[Any], values: Sequence[Any], *, inclusive: bool = False) -> Any:
        """Row values are compared as a whole, so an index on the columns gives both bound and order."""
        left, right = _rows(columns, values)
        return left >= right if inclusive else left > right

    def until(self, columns: Sequence[Any], values: Sequence[Any]) -> Any:
        """See `core.ports.Database.until`."""
        left, right = _rows(columns, values)
        return left <= right

    def text(self, value: Any, column: Column) -> str:  # noqa: ARG002
        """Drivers that keep values as text need nothing more."""
        return str(value)

    def bind(self, text: str, column: Column) -> Any:  # noqa: ARG002
        """A text without a type takes the type of what it is compared with."""
        return text

    def _compiled(self, query: Any) -> tuple[str, Any]:
        """Return the statement's text and parameters as the driver wants them."""
        compiled = query.compile(dialect=self._engine.dialect, compile_kwargs={"render_postcompile": True})
        if compiled.positional:
            return str(compiled), tuple(compiled.construct_params()[name] for name in compiled.positiontup)
        return str(compiled), compiled.construct_params()

    def close(self) -> None:
        """End the sessions; a statement that still runs is ended first."""
        session, self._session = self._session, None
        if session is not None:
            self._interrupt(session)
            session.invalidate()
            session.close()
        self._engine.dispose()

    @abstractmethod
    def _interrupt(self, session: sa.Connection) -> None:
        """End the statement that runs on `session`, if any."""


def bound(value: Any) -> sa.BindParameter[Any]:
    """A bind parameter without a type of its own, so that no cast is rendered around it."""
    return sa.bindparam(None, value, type_=sa.types.NullType(), unique=True)


def _rows(columns: Sequence[Any], values: Sequence[Any]) -> tuple[Any, Any]:
    if len(columns) == 1:
        return columns[0], bound(values[0])
    return sa.tuple_(*columns), sa.tuple_(*map(bound, values))
