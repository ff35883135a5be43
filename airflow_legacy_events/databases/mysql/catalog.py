"""MySQL and MariaDB catalog: facts about one table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from airflow_legacy_events.core.ports import TableState, Withheld
from airflow_legacy_events.databases.mysql.grants import account, quoted
from airflow_legacy_events.databases.mysql.indexes import Index, read_indexes
from airflow_legacy_events.databases.mysql.process_list import listed
from airflow_legacy_events.databases.mysql.rights import grant_of_table, withheld_of
from airflow_legacy_events.databases.mysql.session import Session
from airflow_legacy_events.databases.mysql.tokens import Name
from airflow_legacy_events.databases.mysql.underlying import WITH_SNAPSHOT, Underlying, below_view, unheld
from airflow_legacy_events.databases.mysql.written import Given, Writing, further_columns, parameters_of, written_in
from airflow_legacy_events.databases.reflection import TableFacts
from airflow_legacy_events.databases.table_names import QUOTES, TableName, looked_up, no_such_table, readings

# Whether names are case-sensitive here depends on the server.
_TABLE = """
SELECT {at}, table_schema, table_name, table_type, engine, create_time, CURRENT_USER(){more}
  FROM information_schema.tables
 WHERE table_schema = COALESCE(%s, DATABASE()) AND table_name = %s
"""
_QUOTES = QUOTES["mysql"]
_NAMES = "SELECT table_name FROM information_schema.tables WHERE table_schema = COALESCE(%s, DATABASE())"
_COLUMNS = """
SELECT column_name, is_nullable, data_type, extra, ordinal_position, privileges, character_octet_length, collation_name,
       column_default
  FROM information_schema.columns
 WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position
"""
CHECKS = """
SELECT check_clause FROM information_schema.check_constraints WHERE constraint_schema = %s AND table_name = %s
"""
"""CHECK constraints of a MariaDB table, for `json_among`."""

_UNIQUE = frozenset({"InnoDB", "MyISAM", "Aria", "MEMORY", "ROCKSDB", "TokuDB", "ndbcluster", "NDBCLUSTER"})
"""Engines that enforce unique indexes: a MERGE table only repeats the declarations of its parts."""
_READS, _WRITES = "select", frozenset({"insert", "update", "references"})
_TIMES = frozenset({"timestamp", "datetime", "date"})
_SORTED_BYTES = 2**14
"""Bytes up to which values are always sorted completely, for any collation weights and server memory."""

_IS_JSON = re.compile(r"json_valid\(`((?:[^`]|``)+)`\)")


class TableRow(NamedTuple):
    """Row of the table list. `created` is in UTC if the session is; `user` is the current user."""

    schema: str
    name: str
    kind: str
    engine: str | None
    created: str | None
    user: str

    @property
    def is_view(self) -> bool:
        """Whether it is a view, including the server's own."""
        return "VIEW" in self.kind


_COLUMNS_OF_ROW = 1 + len(TableRow._fields)


class CatalogEntry(NamedTuple):
    """Catalog facts about one table.

    Attributes:
        facts: the facts that every database provides.
        json: columns that MariaDB declares as JSON.
        sorted_by: for each index by name, the columns by which it sorts the rows in ascending order.
        invisible: columns that `SELECT *` leaves out.
        places: positions of the columns by name, in order.
        readable: columns that this user may read.
        partly: what is withheld from this user, if it may not read every column.
        is_partly: whether it is known that this user may not.
        hides_key: whether there may be a primary key that is hidden because this user may not read its columns.
        functions: whether reading it may run stored functions; see `underlying`.
    """

    facts: TableFacts
    json: frozenset[str]
    sorted_by: Mapping[str, tuple[str, ...]]
    invisible: tuple[str, ...]
    places: Mapping[str, int]
    readable: tuple[str, ...]
    partly: Withheld
    is_partly: bool
    hides_key: bool
    functions: bool = False


def inspect_table(session: Session, table: str) -> CatalogEntry:
    """Return the catalog entry of a table or view. Its name is looked up as written, then in lower case.

    Raises:
        ConfigurationError: there is no table of that name.
    """
    (schema, _), row, answer = _find(session, table, more=True)
    columns = session.rows(_COLUMNS, row.schema, row.name)
    indexes = [] if row.is_view else read_indexes(session, row.schema, row.name)
    shown = [(str(one), int(place), _READS in str(rights).split(",")) for one, _, _, _, place, rights, *_ in columns]
    indexed = dict.fromkeys(column for index in indexes for column in index.columns)
    partly = withheld_of(row.schema, row.name, account(row.user), shown, indexed)
    texts = {column for column, _, type_, *_ in columns if type_ == "longtext"}
    below = below_view(session, row.schema, row.name) if row.is_view else Underlying()
    not_null = frozenset(str(column) for column, nullable, *_ in columns if nullable == "NO")
    state = below.state(session) if row.is_view else _state(row, indexes, not_null, columns)
    state = state._replace(writing=_writing(session, row, answer, columns))
    return CatalogEntry(
        _facts(row, schema, indexes, not_null, state),
        _json(session, row.schema, row.name) & texts if session.mariadb and texts else frozenset(),
        _sorted_by(indexes, row.engine),
        tuple(str(column) for column, _, _, extra, *_ in columns if "INVISIBLE" in str(extra)),
        {name: place for name, place, _ in shown},
        tuple(name for name, _, reads in shown if reads),
        partly,
        is_partly=bool(partly.at_least) or not all(reads for *_, reads in shown),
        hides_key=session.mariadb and not any(one.name == "PRIMARY" for one in indexes),
        functions=below.functions,
    )


def _facts(
    row: TableRow, schema: str | None, indexes: Sequence[Index], not_null: frozenset[str], state: TableState
) -> TableFacts:
    return TableFacts(
        name=row.name,
        schema=row.schema if schema is not None else None,
        primary_key=next((one.columns for one in indexes if one.name == "PRIMARY" and one.unique), ()),
        unique=tuple(one.columns for one in indexes if one.unique and one.name != "PRIMARY"),
        indexes=None if row.is_view else tuple(dict.fromkeys(one.ascending for one in indexes if one.ascending)),
        not_null=not_null,
        state=state,
    )


def _state(
    row: TableRow, indexes: Sequence[Index], not_null: frozenset[str], columns: Sequence[Sequence[str | None]]
) -> TableState:
    collations = {str(column): str(collation) for column, *_, collation, _ in columns}
    return TableState(
        distinct=tuple(one.columns for one in indexes if _is_distinct(one, row.engine, not_null, collations)),
        unsorted=frozenset(str(one) for one, *_, octets, _, _ in columns if int(octets or 0) > _SORTED_BYTES),
        object=None if row.created is None else {"created": row.created, "engine": row.engine},
        unheld=None if row.engine in WITH_SNAPSHOT else unheld(Name(row.schema, row.name), row.engine),
    )


def _writing(session: Session, row: TableRow, answer: Sequence[Any], columns: Sequence[Sequence[Any]]) -> Writing:
    given = {str(column): Given(default, str(extra)) for column, _, _, extra, *_, default in columns}
    # MariaDB hides foreign keys from a user who may only read.
    shown = not session.mariadb or row.is_view or any({*str(one[5]).split(",")} >= _WRITES for one in columns)
    name = f"{quoted(row.schema)}.{quoted(row.name)}"
    found = Writing(name, account(row.user), is_view=row.is_view, engine=row.engine)
    is_timed = any(type_ in _TIMES for _, _, type_, *_ in columns)
    return written_in(session, answer, found, given, shows_references=shown or not is_timed)


def _is_distinct(index: Index, engine: str | None, not_null: frozenset[str], collations: Mapping[str, str]) -> bool:
    """Return whether an index guarantees distinct values under the rules of comparison.

    MariaDB's NO PAD collations sort values with padding, but compare without it. Hash-based unique indexes of long
    values admit duplicates in some releases still in use.
    """
    return (
        index.unique
        and engine in _UNIQUE
        and not_null.issuperset(index.columns)
        and not (index.hashed and engine != "MEMORY")
        and not any("_nopad_" in collations[column] for column in index.columns)
    )


def _sorted_by(indexes: Sequence[Index], engine: str | None) -> dict[str, tuple[str, ...]]:
    # InnoDB appends the primary key to the columns of every index.
    behind = next((one.ascending for one in indexes if one.name == "PRIMARY" and engine == "InnoDB"), ())
    return {
        one.name: tuple(dict.fromkeys(one.ascending + (behind if one.whole else ())))
        for one in indexes
        if one.ascending
    }


def find_table(session: Session, table: str) -> TableRow:
    """Return the table list's row of a table or view; see `looked_up`.

    Raises:
        ConfigurationError: there is no table of that name.
    """
    _, row, _ = _find(session, table)
    return row


def table_row(session: Session, table: str) -> TableRow | None:
    """Return the same; None if there is no table of that name."""
    found = _found(session, looked_up(table, _QUOTES))
    return found[0][1] if found else None


def _find(session: Session, table: str, *, more: bool = False) -> tuple[TableName, TableRow, Sequence[Any]]:
    """Return the name under which a table was found, its row in the table list, and its `written.further_columns`."""
    names = looked_up(table, _QUOTES)
    found = _found(session, names, more=more)
    if not found:
        *_, (schema, name) = readings(table, _QUOTES)
        there = [str(one) for (one,) in session.rows(_NAMES, schema)]
        raise no_such_table(table, there, _QUOTES, grant_of_table(session, schema, name))
    return found[0]


def _found(
    session: Session, names: Sequence[TableName], *, more: bool = False
) -> list[tuple[TableName, TableRow, Sequence[Any]]]:
    """Return what is found under some names, in their order."""
    # One lookup per name: in old releases, a condition on several names would open every table.
    asking = f", {further_columns(session)}" if more else ""
    query = " UNION ALL ".join(_TABLE.format(at=at, more=asking) for at in range(len(names)))
    parameters = [(*(parameters_of(*one) if more else ()), *one) for one in names]
    rows = listed(session, query, *(part for one in parameters for part in one))
    found = [(names[int(row[0])], TableRow(*row[1:_COLUMNS_OF_ROW]), row[_COLUMNS_OF_ROW:]) for row in rows]
    # The server may compare names case-insensitively.
    return sorted((one for one in found if one[0].name == one[1].name), key=lambda one: names.index(one[0]))


def _json(session: Session, schema: str, table: str) -> frozenset[str]:
    return json_among(session.rows(CHECKS, schema, table))


def json_among(rows: Iterable[Sequence[Any]]) -> frozenset[str]:
    """Return the columns that MariaDB declares as JSON: LONGTEXT with a CHECK constraint; see `CHECKS`."""
    checks = [_IS_JSON.fullmatch(str(clause)) for (clause,) in rows]
    return frozenset(check[1].replace("``", "`") for check in checks if check)
