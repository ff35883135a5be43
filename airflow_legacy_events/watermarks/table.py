"""Watermark table in any database supported by SQLAlchemy: `legacy_events_watermarks`."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import re
from collections.abc import Iterator
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.dialects.mysql import LONGTEXT

from airflow_legacy_events.core.errors import ConfigurationError, WatermarkError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks import table_rights
from airflow_legacy_events.watermarks.codec import decode, encode
from airflow_legacy_events.watermarks.opening import OpenableStore, OpenedBy
from airflow_legacy_events.watermarks.saving import verify
from airflow_legacy_events.watermarks.transactional import refuse_without_transactions

TABLE = "legacy_events_watermarks"
WIDEN = (
    f"Have somebody with the right widen the column; on MySQL and MariaDB: ALTER TABLE {TABLE} MODIFY stream LONGTEXT"
    " NOT NULL, MODIFY watermark LONGTEXT NOT NULL"
)
"""What to do where a watermark does not fit."""
_QUOTED = re.compile(r"""(['"]).*\1""")

# MySQL's TEXT is limited to 64 kB, too little for the columns of a wide table.
_text = sa.Text().with_variant(LONGTEXT(), "mysql", "mariadb")
_metadata = sa.MetaData()
POSITIONS = sa.Table(
    TABLE,
    _metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("stream", _text, nullable=False),
    sa.Column("watermark", _text, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("saved_at", sa.String(32), nullable=False),
    mysql_charset="utf8mb4",
    mariadb_charset="utf8mb4",
    mysql_engine="InnoDB",  # servers may have another default, without transactions
    mariadb_engine="InnoDB",
)


class TableWatermarkStore(OpenableStore):
    """Keeps each stream's watermark in a row, with a revision for compare-and-set.

    The row's `id` is the SHA-256 of the stream's name, so neither the collation nor the width of a column can merge two
    streams. The first save creates the table if the role may; else the error holds the statement. An existing table is
    never altered: if a column is too narrow, the error says how to widen it.

    Args:
        engine: of the database; each statement opens its own connection.
        conn_id: Airflow's name of the connection, for messages and the registration.
    """

    detail_option = "watermark_table_conn_id"

    def __init__(self, engine: sa.Engine, conn_id: str) -> None:
        self._engine, self._conn_id = engine, conn_id

    @classmethod
    def open(cls, by: OpenedBy) -> Self:
        """See `OpenableStore.open`; the detail is a connection."""
        if not by.detail:
            raise ConfigurationError(
                "watermark_store='table' needs a connection: write 'table:<conn_id>', or set [legacy_events]"
                f" {cls.detail_option} in Airflow's configuration"
            )
        return cls(by.engine(by.detail), by.detail)

    @property
    def name(self) -> str:
        """The name that streams are registered under: another connection means another store."""
        return f"table:{self._conn_id}"

    def load(self, stream: str) -> Watermark | None:
        """See `core.ports.WatermarkStore.load`."""
        found = self._row(stream)
        return None if found is None else self.decoded(stream, found.watermark)

    def save(self, stream: str, new: Watermark, *, expected: Watermark | None) -> None:
        """See `core.ports.WatermarkStore.save`; of two concurrent saves that expect the same, one is refused."""
        found = self._row(stream)
        mark = None if found is None else self.decoded(stream, found.watermark)
        if mark == new:  # an earlier try of this save was accepted, but its answer was lost
            return
        verify(stream, found=mark, expected=expected)
        content = content_of(new)
        if not (self._insert(stream, content) if found is None else self._update(stream, found.revision, content)):
            verify(stream, found=self.load(stream), expected=expected)
            raise WatermarkError(f"the watermark of stream {stream!r} was moved while it was saved", retry_helps=True)

    def forget(self, stream: str) -> None:
        """Remove the watermark, readable or not; one that is absent stays absent."""
        with self._doing("forgetting") as connection:
            if sa.inspect(connection).has_table(TABLE):
                connection.execute(POSITIONS.delete().where(POSITIONS.c.id == id_of(stream)))

    def require_transactions(self) -> None:
        """Make the table if it is missing, and check that its rows belong to transactions.

        Raises:
            WatermarkError: it can't be made or reached, or its rows stay when a transaction is rolled back.
        """
        with self._doing("looking for the table") as connection:
            there = sa.inspect(connection).has_table(TABLE)
            if there:
                refuse_without_transactions(connection, TABLE, self._conn_id)
            elif grant := table_rights.hidden(connection, TABLE):
                raise self._hidden(grant)
        if not there:
            self._make_table()

    def _hidden(self, grant: str) -> WatermarkError:
        return WatermarkError(
            f"table {TABLE} of connection {self._conn_id!r} is there, and this user may not use its schema; nothing was"
            f" read{grant}"
        )

    def _row(self, stream: str) -> Any:
        with self._doing("reading") as connection:
            # Only a missing table means that there is no watermark; any other failure is an error.
            if not sa.inspect(connection).has_table(TABLE):
                if grant := table_rights.hidden(connection, TABLE):
                    raise self._hidden(grant)
                return None
            wanted = sa.select(POSITIONS.c.watermark, POSITIONS.c.revision).where(POSITIONS.c.id == id_of(stream))
            return connection.execute(wanted).first()

    def decoded(self, stream: str, text: str) -> Watermark:
        """Return the watermark in a row's text.

        Raises:
            WatermarkError: it is none.
        """
        return decode(text, stream=stream, place=f"table {TABLE} of connection {self._conn_id!r}")

    def _insert(self, stream: str, content: dict[str, str]) -> bool:
        self._make_table()
        row = {"id": id_of(stream), "stream": stream, "revision": 1, **content}
        try:
            with self._engine.begin() as connection:
                connection.execute(POSITIONS.insert().values(row))
        except sa.exc.IntegrityError:
            return False
        except sa.exc.SQLAlchemyError as error:
            raise self._failed("saving", error) from None
        return True

    def _update(self, stream: str, revision: int, content: dict[str, str]) -> bool:
        mine = (POSITIONS.c.id == id_of(stream)) & (POSITIONS.c.revision == revision)
        with self._doing("saving") as connection:
            changed = connection.execute(POSITIONS.update().where(mine).values(revision=revision + 1, **content))
            return changed.rowcount == 1

    def _make_table(self) -> None:
        statement = str(sa.schema.CreateTable(POSITIONS).compile(self._engine))
        try:
            with self._engine.begin() as connection:
                if not sa.inspect(connection).has_table(TABLE):
                    # Firebird's driver lacks the row count that SQLAlchemy expects.
                    with contextlib.closing(connection.connection.cursor()) as cursor:
                        cursor.execute(statement)
        except (sa.exc.SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
            with self._doing("looking for the table") as connection:
                if sa.inspect(connection).has_table(TABLE):  # another run was faster
                    return
            raise WatermarkError(
                f"table {TABLE} does not exist and can't be created over connection {self._conn_id!r}:"
                f" {_reason(error)}. Have somebody with the right run: {' '.join(statement.split())}"
            ) from None

    @contextlib.contextmanager
    def _doing(self, doing: str) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.SQLAlchemyError as error:
            raise self._failed(doing, error) from None

    def _failed(self, doing: str, error: Exception) -> WatermarkError:
        if isinstance(error, sa.exc.DataError):
            return WatermarkError(
                f"a watermark does not fit into table {TABLE} of connection {self._conn_id!r}: {_reason(error)}."
                f" {WIDEN}"
            )
        return WatermarkError(
            f"the watermarks in table {TABLE} of connection {self._conn_id!r} could not be reached while {doing}:"
            f" {_reason(error)}. A retry continues{table_rights.missing(self._engine, TABLE, error)}",
            retry_helps=True,
        )


def content_of(mark: Watermark) -> dict[str, str]:
    """Return the columns of a row that a save sets beside its revision."""
    return {"watermark": encode(mark), "saved_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds")}


def id_of(stream: str) -> str:
    """Return the key of a stream's row."""
    return hashlib.sha256(stream.encode()).hexdigest()


def _reason(error: Exception) -> str:
    """Return why a statement failed, without parameters or driver details, which may hold values of rows."""
    cause = getattr(error, "orig", None) or error
    sentence = getattr(getattr(cause, "diag", None), "message_primary", None) or cause
    text = " ".join(str(sentence).split())
    return _QUOTED.sub("'...'", text) if getattr(error, "params", None) else text
