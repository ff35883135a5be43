"""Which keys lie beyond another one, as the server orders them: by the columns' types and collations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.errors import SchemaChangedError
from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.core.ports import LogTable
from airflow_legacy_events.databases.mysql.changelog.session import LogSession
from airflow_legacy_events.databases.mysql.session import Session
from airflow_legacy_events.databases.mysql.types import bind

_COLUMNS = """
SELECT column_name, data_type, character_set_name, collation_name FROM information_schema.columns
 WHERE table_schema = %s AND table_name = %s
"""
_DOING = "comparing keys"
_BYTES = 2**20
_AT_ONCE = 500
_COMPARED_AS = {"uuid": "CAST({} AS UUID)", "inet4": "CAST({} AS INET4)", "inet6": "CAST({} AS INET6)"}
_TIME = "CAST({} AS TIME(6))"
_FIXED_WIDTH = (Kind.DATE, Kind.TIMESTAMP, Kind.INSTANT)
_TRUE = "1"


class KeyColumn(NamedTuple):
    """A key column.

    Attributes:
        column: as reflected.
        form: its comparable expression, with `{}` for a literal.
    """

    column: Column
    form: str

    def literal(self, value: Any, session: Session) -> str:
        """Return a value of the column, or its text, as a literal that compares as the column does."""
        found = value if isinstance(value, bytes) else bind(str(value), self.column)
        if isinstance(found, bytes):
            return f"x'{found.hex()}'"
        if self.column.kind in _FIXED_WIDTH:  # sorted as text, and zero dates need no permission
            return f"x'{str(found).encode().hex()}'"
        if not isinstance(found, str):
            return str(session.connection.literal(found).decode())
        return self.form.format(f"_utf8mb4 x'{found.encode().hex()}'")


class Comparison:
    """Compares keys of tables; the columns of each are looked up once.

    Args:
        session: to query.
    """

    def __init__(self, session: LogSession) -> None:
        self._session = session
        self._columns: dict[tuple[TableName, tuple[str, ...]], list[KeyColumn]] = {}

    def beyond(self, table: LogTable, reached: Sequence[str], keys: Sequence[Sequence[Any]]) -> list[bool]:
        """See `core.ports.ChangeLog.beyond`; one statement for all keys, as long as they are not megabytes."""
        found: list[bool] = []
        with self._session.using(_DOING) as session:
            columns = self._columns_of(session, table)
            bounds = [one.literal(value, session) for one, value in zip(columns, reached, strict=True)]
            for block in _blocks(lambda key: _beyond(columns, key, bounds, session), keys):
                lists = ", ".join(
                    f"CONCAT({', '.join(block[at : at + _AT_ONCE])})" for at in range(0, len(block), _AT_ONCE)
                )
                [row] = _rows(session, f"SELECT {lists}")
                found += [one == _TRUE for one in "".join(map(_text, row))]
        return found

    def _columns_of(self, session: Session, table: LogTable) -> list[KeyColumn]:
        known = table.name, table.key
        if known not in self._columns:
            types = {str(name): row for name, *row in session.rows(_COLUMNS, *table.name)}
            reflected = {one.name: one for one in table.reflection.columns}
            if missing := [name for name in table.key if name not in types or name not in reflected]:
                raise SchemaChangedError(
                    f"table {str(table.name)!r} has no column {missing[0]!r} any more, which is part of its key; run it"
                    " again"
                )
            self._columns[known] = [
                KeyColumn(reflected[name], _form(reflected[name], *types[name])) for name in table.key
            ]
        return self._columns[known]


def _form(column: Column, type_: str, charset: str | None, collation: str | None) -> str:
    if type_ in _COMPARED_AS:
        return _COMPARED_AS[type_]
    if column.kind is Kind.TIME:
        return _TIME
    return f"CONVERT({{}} USING {charset}) COLLATE {collation}" if charset and collation else "{}"


def _beyond(columns: Sequence[KeyColumn], key: Sequence[Any], bounds: Sequence[str], session: Session) -> str:
    mine = [one.literal(value, session) for one, value in zip(columns, key, strict=True)]
    found = f"{mine[-1]} > {bounds[-1]}"
    for one, bound in reversed([*zip(mine[:-1], bounds[:-1], strict=True)]):
        found = f"({one} > {bound} OR {one} = {bound} AND {found})"
    return f"({found})"


def _blocks(make: Callable[[Sequence[Any]], str], keys: Sequence[Sequence[Any]]) -> Iterator[list[str]]:
    """Yield the expressions of keys, about a megabyte at a time: a statement may not exceed `max_allowed_packet`."""
    block, size = list[str](), 0
    for key in keys:
        one = make(key)
        if block and size + len(one) > _BYTES:
            yield block
            block, size = [], 0
        block.append(one)
        size += len(one)
    if block:
        yield block


def _rows(session: Session, statement: str) -> list[tuple[Any, ...]]:
    with session.connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def _text(found: Any) -> str:
    return found.decode() if isinstance(found, bytes) else str(found)
