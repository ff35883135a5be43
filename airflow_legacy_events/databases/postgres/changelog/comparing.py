"""Which keys lie beyond another one, as the database orders them: by the columns' types and collations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import Connection

from airflow_legacy_events.core.errors import SchemaChangedError
from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.core.ports import LogTable
from airflow_legacy_events.databases.postgres.catalog import quoted
from airflow_legacy_events.databases.postgres.changelog.session import LogSession
from airflow_legacy_events.databases.postgres.operators import find_names
from airflow_legacy_events.databases.postgres.qualified import Named

_COLUMNS = """
SELECT a.attname::text, a.atttypid::int8, n.nspname::text, c.collname::text
  FROM pg_attribute AS a LEFT JOIN pg_collation AS c ON c.oid = a.attcollation
  LEFT JOIN pg_namespace AS n ON n.oid = c.collnamespace
 WHERE a.attrelid = to_regclass(%s)::oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname = ANY (%s::name[])
"""
_DOING = "comparing keys"


class KeyColumn(NamedTuple):
    """A key column.

    Attributes:
        named: its type and operators.
        collation: as SQL spells it; empty if it has none.
    """

    named: Named
    collation: str

    def typed(self, text: str) -> str:
        """Return an expression of the column's type for one of text."""
        type_ = self.named.type if self.named.operators is None else self.named.operators.type
        value = f"CAST({text} AS {self.named.type})"
        value = value if type_ == self.named.type else f"CAST({value} AS {type_})"
        return f"{value} COLLATE {self.collation}" if self.collation else value

    def compared(self, left: str, symbol: str, right: str) -> str:
        """Return the comparison of two texts as values of the column."""
        left, right, found = self.typed(left), self.typed(right), self.named.operators
        if found is None:
            return f"({left} OPERATOR(pg_catalog.{symbol}) {right})"
        name = found.names[symbol]
        return f"{name}({left}, {right})" if found.called else f"({left} {name} {right})"


class Comparison:
    """Compares keys of tables; the statement of each table is made once.

    Args:
        session: to query.
    """

    def __init__(self, session: LogSession) -> None:
        self._session = session
        self._statements: dict[tuple[TableName, tuple[str, ...]], str] = {}

    def beyond(self, table: LogTable, reached: Sequence[str], keys: Sequence[Sequence[str]]) -> list[bool]:
        """See `core.ports.ChangeLog.beyond`; one statement for all keys."""
        if not keys:
            return []
        with self._session.using(_DOING) as session:
            known = table.name, table.key
            statement = self._statements.get(known)
            if statement is None:
                statement = self._statements[known] = _statement(_key_columns(session, table))
            parameters = [*map(list, zip(*keys, strict=True)), *reached]
            return [bool(row[0]) for row in session.execute(statement.encode(), parameters)]


def _key_columns(session: Connection[Any], table: LogTable) -> list[KeyColumn]:
    rows = session.execute(_COLUMNS, (quoted(*table.name), list(table.key))).fetchall()
    found = {name: (oid, schema, collation) for name, oid, schema, collation in rows}
    if missing := [name for name in table.key if name not in found]:
        raise SchemaChangedError(
            f"table {str(table.name)!r} has no column {missing[0]!r} any more, which is part of its key; run it again"
        )
    names = find_names(session, [oid for oid, _, _ in found.values()])
    return [
        KeyColumn(names[oid], quoted(schema, collation) if collation else "")
        for oid, schema, collation in (found[name] for name in table.key)
    ]


def _statement(columns: Sequence[KeyColumn]) -> str:
    arrays = ", ".join("%s::text[]" for _ in columns)
    names = ", ".join(f"k{at}" for at in range(len(columns)))
    bounds = ", ".join(f"%s::text AS r{at}" for at in range(len(columns)))
    return (
        f"SELECT {_beyond(columns, 0)} FROM ROWS FROM (unnest({arrays})) WITH ORDINALITY AS u ({names}, n),"  # noqa: S608
        f" (SELECT {bounds}) AS r ORDER BY n"
    )


def _beyond(columns: Sequence[KeyColumn], at: int) -> str:
    one = columns[at]
    greater = one.compared(f"k{at}", ">", f"r{at}")
    if at == len(columns) - 1:
        return greater
    return f"({greater} OR {one.compared(f'k{at}', '=', f'r{at}')} AND {_beyond(columns, at + 1)})"
