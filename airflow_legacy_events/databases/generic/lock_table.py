"""Lock table: its rows are the stream locks, for databases without locks that outlive a transaction."""

from __future__ import annotations

import contextlib

import sqlalchemy as sa

TABLE = "legacy_events_locks"
_LONGEST_HOLDER = 4000

locks = sa.Table(
    TABLE,
    sa.MetaData(),
    sa.Column("stream_hash", sa.String(64), primary_key=True),
    sa.Column("token", sa.String(36), nullable=False),
    sa.Column("beats", sa.Integer, nullable=False),
    sa.Column("leased_at", sa.DateTime, nullable=False),
    sa.Column("holder", sa.String(_LONGEST_HOLDER), nullable=False),
)
"""One row per held stream: its holder, its token, and the time of the last renewal by the database's clock."""


def has_table(session: sa.Connection) -> bool:
    """Return whether the table exists."""
    return sa.inspect(session).has_table(TABLE)


def make_table(session: sa.Connection) -> str:
    """Create the table if missing, through the driver: Firebird's lacks the row count that SQLAlchemy expects."""
    if not has_table(session):
        statement = str(sa.schema.CreateTable(locks).compile(dialect=session.dialect))
        with contextlib.closing(session.connection.cursor()) as cursor:
            cursor.execute(statement)
    return ""
