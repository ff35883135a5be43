"""Lock table: its rows are the stream locks, for databases without locks that outlive a transaction."""

from __future__ import annotations

import contextlib
import re

import sqlalchemy as sa

from airflow_legacy_events.databases.errors import one_line

TABLE = "legacy_events_locks"
_LONGEST_HOLDER = 4000
_DENIED = re.compile(r"no permission|permission (?:was )?denied|command denied|ORA-01031", re.IGNORECASE)

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


def grant(user: str | None) -> str:
    """Return the GRANT that a lock needs, on a line of its own; `user` is that of the connection, if it names one."""
    to = user or "the user of this connection"
    return f"Run the GRANT below:\nGRANT SELECT, INSERT, UPDATE, DELETE ON {TABLE} TO {to}"


def missing(error: Exception, user: str | None) -> str:
    """Return what follows a sentence about a failed statement on the table: the GRANT, if a right is missing."""
    return f". {grant(user)}" if _DENIED.search(one_line(error)) else ""
