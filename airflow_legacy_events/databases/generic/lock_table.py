"""The table whose rows are the locks of streams, where a database has none that outlive a transaction."""

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
"""One row for each held stream: its holder, the token, and when that was last renewed, by the database's clock."""


def has_table(session: sa.Connection) -> bool:
    """Return whether the table is there."""
    return sa.inspect(session).has_table(TABLE)


def make_table(session: sa.Connection) -> str:
    """Make the table if there is none, through the driver: Firebird's has no count of rows, which SQLAlchemy wants."""
    if not has_table(session):
        statement = str(sa.schema.CreateTable(locks).compile(dialect=session.dialect))
        with contextlib.closing(session.connection.cursor()) as cursor:
            cursor.execute(statement)
    return ""
