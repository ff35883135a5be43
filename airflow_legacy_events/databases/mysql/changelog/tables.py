"""Tables of a change log: which of them patterns name, and what has no log of its own."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.databases import table_names
from airflow_legacy_events.databases.mysql.changelog.session import LogSession
from airflow_legacy_events.databases.mysql.rights import grant_of_table

# One lookup per name: in old releases, a condition on several names would open every table.
_ONE = """
SELECT table_schema, table_name, table_type, COALESCE(engine, '') FROM information_schema.tables
 WHERE table_schema = %s AND table_name = %s
"""
_ALL_OF = """
SELECT table_schema, table_name, table_type, COALESCE(engine, '') FROM information_schema.tables
 WHERE table_schema = %s
"""
_DOING = "looking for the tables"
_ALL = "*"
_QUOTES = table_names.QUOTES["mysql"]
_TABLES = ("BASE TABLE", "SYSTEM VERSIONED")
_KINDS = {
    "VIEW": "a view, which has no log: name the tables below it",
    "SYSTEM VIEW": "a view of the server's own, which has no log: leave it out",
    "SEQUENCE": "a sequence, whose rows are no data: leave it out",
    "TEMPORARY": "a temporary table, whose changes are in no log: leave it out",
}
_ELSEWHERE = {
    "MRG_MYISAM": "its rows are those of other tables: name these",
    "FEDERATED": "its rows are on another server, whose log has their changes: connect to that server",
    "CONNECT": "its rows are kept elsewhere, and change there without a log: leave it out",
    "SPIDER": "its rows are on other servers, whose logs have their changes: connect to these",
}
_SYSTEM = ("mysql", "information_schema", "performance_schema", "sys")


class Relation(NamedTuple):
    """A table, view or the like, as the catalog has it."""

    schema: str
    name: str
    kind: str
    engine: str

    @property
    def table(self) -> TableName:
        """Its name."""
        return TableName(self.schema, self.name)

    @property
    def refused(self) -> str | None:
        """Why its changes can't be read, None if they can."""
        if self.kind not in _TABLES:
            return _KINDS.get(self.kind, f"a {self.kind.lower()}, which has no log: leave it out")
        why = _ELSEWHERE.get(self.engine.upper())
        return None if why is None else f"a table of engine {self.engine}: {why}"


class Pattern(NamedTuple):
    """`database.table`, or `database.*`; `written` by the user."""

    written: str
    schema: str
    name: str
    all: bool

    def means(self, found: Relation, *, folds: bool) -> bool:
        """Whether it stands for a relation, as the server compares names."""
        mine, theirs = (self.schema, self.name), (found.schema, found.name)
        if folds:
            mine, theirs = (mine[0].lower(), mine[1].lower()), (theirs[0].lower(), theirs[1].lower())
        return mine[0] == theirs[0] and (self.all or mine[1] == theirs[1])

    def lower(self) -> Pattern:
        """Return it in lower case."""
        return self._replace(schema=self.schema.lower(), name=self.name.lower())


def find_tables(
    session: LogSession, patterns: Sequence[str], log: logging.Logger, *, folds: bool
) -> tuple[list[TableName], Problems]:
    """Return the tables that patterns name, in their order and as the catalog spells them, and what is wrong.

    A name is looked up as written, then in lower case. `database.*` stands for the database's base tables: views and
    sequences are left out.

    Args:
        session: to query.
        patterns: as the user wrote them.
        log: of the task.
        folds: whether the server compares names without regard to case.
    """
    problems, wanted = Problems(), list[Pattern]()
    for written in patterns:
        with problems.collect():
            wanted.append(_pattern(written))
    matched = _matched(session, wanted, folds=folds)
    found: dict[TableName, None] = {}
    for one in wanted:
        with problems.collect():
            for each in _chosen(session, one, matched[one], log):
                found.setdefault(each.table)
    return list(found), problems


def databases_in(patterns: Sequence[str]) -> set[str]:
    """Return the databases that patterns name; what is no pattern is left out."""
    found = set[str]()
    for written in patterns:
        with contextlib.suppress(ConfigurationError):
            found.add(_pattern(written).schema)
    return found


def _pattern(written: str) -> Pattern:
    schema, name = table_names.split_name(written, _QUOTES)
    if schema is None:
        raise ConfigurationError(
            f"tables: {written!r} names no database; give 'database.table', such as 'shop.{name}', or 'database.*'"
        )
    if schema.lower() in _SYSTEM:
        raise ConfigurationError(f"tables: {written!r} is of the server's own catalog, which has no log; leave it out")
    return Pattern(written, schema, name, written.endswith(f".{_ALL}"))


def _matched(session: LogSession, wanted: Sequence[Pattern], *, folds: bool) -> dict[Pattern, list[Relation]]:
    """Return the relations that each pattern stands for, in at most two round trips."""
    found = _look(session, {one: one for one in wanted}, folds=folds)
    if again := {one: one.lower() for one in wanted if not found[one] and one.lower() != one}:
        found |= _look(session, again, folds=folds)
    return found


def _look(session: LogSession, wanted: dict[Pattern, Pattern], *, folds: bool) -> dict[Pattern, list[Relation]]:
    if not wanted:
        return {}
    names = list(dict.fromkeys((one.schema,) if one.all else (one.schema, one.name) for one in wanted.values()))
    statement = " UNION ".join(_ALL_OF if len(one) == 1 else _ONE for one in names)
    rows = session.ask(_DOING, statement, *(part for one in names for part in one))
    relations = sorted(Relation(*map(str, row)) for row in rows)
    return {mine: [one for one in relations if looked.means(one, folds=folds)] for mine, looked in wanted.items()}


def _chosen(
    session: LogSession, pattern: Pattern, found: Sequence[Relation], log: logging.Logger
) -> Iterator[Relation]:
    if not pattern.all:
        if not found:
            raise _no_table(session, pattern)
        for one in found:
            if one.refused is not None:
                raise ConfigurationError(f"tables: {pattern.written!r} is {one.refused}")
            yield one
        return
    logged = [one for one in found if one.refused is None]
    if left_out := [str(one.table) for one in found if one.kind in _TABLES and one.refused is not None]:
        log.warning("tables: %r leaves out tables whose engine has no log: %s", pattern.written, ", ".join(left_out))
    if not logged:
        raise _no_table(session, pattern)
    yield from logged


def _no_table(session: LogSession, pattern: Pattern) -> ConfigurationError:
    with session.using(_DOING) as one:
        if not pattern.all:
            near = [str(name) for _, name, *_ in one.rows(_ALL_OF, pattern.schema)]
            grant = grant_of_table(one, pattern.schema, pattern.name)
            return table_names.no_such_table(pattern.written, near, _QUOTES, grant)
        grant = grant_of_table(one, pattern.schema, "x").replace(".`x` TO", ".* TO")
    return ConfigurationError(
        f"tables: {pattern.written!r} stands for all tables of a database, and this user sees no table with a log in"
        f" {pattern.schema!r}; correct the name. If there are tables, run the GRANT below:\n{grant}"
    )
