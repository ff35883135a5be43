"""Underlying tables of a MySQL or MariaDB view or query: their engines, and the definitions of intermediate views."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from airflow_legacy_events.core.ports import TableState
from airflow_legacy_events.databases.mysql.grants import current_user
from airflow_legacy_events.databases.mysql.session import Session
from airflow_legacy_events.databases.mysql.tokens import (
    Name,
    called,
    calls_stored,
    tables,
    tokens,
    without_select_lists,
)

WITH_SNAPSHOT = frozenset({"InnoDB", "ROCKSDB", "TokuDB"})
"""Engines with snapshots: a REPEATABLE READ transaction sees their rows as of its start."""

# One lookup per table name: for a list of names, the servers would open every table of a schema.
_TABLE = """
SELECT %s, table_schema, table_name, table_type, engine, NULL FROM information_schema.tables
 WHERE table_schema = COALESCE(%s, DATABASE()) AND table_name = %s
"""
_VIEW = """
SELECT %s, table_schema, table_name, 'DEFINITION', NULL, view_definition FROM information_schema.views
 WHERE table_schema = COALESCE(%s, DATABASE()) AND table_name = %s
"""
_FUNCTION = """
SELECT %s, routine_schema, routine_name, routine_type, NULL, NULL FROM information_schema.routines
 WHERE routine_schema = COALESCE(%s, DATABASE()) AND routine_name = %s
"""
_AT_ONCE = 40
_GENERATED = re.compile(r"seq_\d+_to_\d+(_step_\d+)?")
_OF_THE_SERVER = frozenset({"information_schema", "performance_schema", "sys"})


class _Found(NamedTuple):
    written: Name
    name: Name
    kind: str
    engine: str | None
    definition: str | None


@dataclass
class Underlying:
    """Tables and views below a view or query.

    Attributes:
        views: definition of each view by its full name; None if this user may not see it.
        engines: of each table by its full name.
        of_server: tables that the server generates while they are read.
        unseen: names of tables and views that exist but are hidden from this user.
        functions: whether reading may run stored functions, which may change anything in a session.
    """

    views: dict[Name, str | None] = field(default_factory=dict)
    engines: dict[Name, str | None] = field(default_factory=dict)
    of_server: set[Name] = field(default_factory=set)
    unseen: set[Name] = field(default_factory=set)
    functions: bool = False

    @property
    def definition(self) -> str | None:
        """See `TableState.definition`; also None if a part of it is hidden."""
        if not self.views or None in self.views.values():
            return None
        parts = (
            f"{name.schema}.{name.name}\n{without_select_lists(tokens(text or ''))}"
            for name, text in sorted(self.views.items())
        )
        return hashlib.sha256("\n\n".join(parts).encode()).hexdigest()[:16]

    def state(self, session: Session) -> TableState:
        """Return the state of the view or query."""
        hidden = sorted(name for name, text in self.views.items() if text is None)
        user = current_user(session) if hidden or self.unseen else ""
        return TableState(
            definition=self.definition,
            unheld=self._unheld(hidden, user),
            unknown=tuple(
                f"the definition of view {_quoted(name)}; GRANT SHOW VIEW ON {_quoted(name)} TO {user} shows it"
                for name in hidden
            ),
        )

    def _unheld(self, hidden: Iterable[Name], user: str) -> str | None:
        found = [
            *(unheld(name, engine) for name, engine in sorted(self.engines.items()) if engine not in WITH_SNAPSHOT),
            *(f"{_quoted(name)} is made up by the server while it is read" for name in sorted(self.of_server)),
            *(
                f"which tables view {_quoted(name)} reads can't be seen: GRANT SHOW VIEW ON {_quoted(name)} TO {user}"
                " shows it"
                for name in hidden
            ),
            *(
                f"which engine keeps the rows of {_quoted(name)} can't be seen: GRANT SELECT ON {_quoted(name)} TO"
                f" {user} shows it"
                for name in sorted(self.unseen)
            ),
        ]
        if self.functions and not hidden:
            found.append(
                "it runs stored functions, which may read tables of an engine without a snapshot; write it without them"
            )
        return "; ".join(found) or None


def unheld(name: Name, engine: str | None) -> str:
    """Return why a snapshot doesn't keep a table's rows stable, and the statement that fixes it."""
    return (
        f"table {_quoted(name)} is of engine {engine}, which holds no snapshot; ALTER TABLE {_quoted(name)}"
        " ENGINE=InnoDB mends it"
    )


def below_view(session: Session, schema: str, view: str) -> Underlying:
    """Return the tables and views below a view, including itself."""
    found = Underlying()
    _search(session, found, [Name(schema, view)], ())
    return found


def below_query(session: Session, sql: str) -> Underlying:
    """Return the tables and views below a query.

    Every name in a table position is looked up. EXPLAIN is not enough: it omits tables with at most one row, and is
    refused to users who may read a view but not its tables.
    """
    found, parts = Underlying(), tokens(sql, escapes="NO_BACKSLASH_ESCAPES" not in session.modes)
    _search(session, found, list(tables(parts)), list(called(parts)))
    return found


def _search(session: Session, found: Underlying, names: Sequence[Name], functions: Sequence[Name]) -> None:
    """Look up names, and in turn the names in the definitions of the views among them."""
    found.functions = any(name.schema is not None for name in functions)
    asked: set[Name] = set()
    while wanted := [name for name in dict.fromkeys(names) if name not in asked]:
        asked.update(wanted)
        found.of_server |= {name for name in wanted if str(name.schema).lower() in _OF_THE_SERVER}
        wanted = [name for name in wanted if name not in found.of_server]
        known = _ask(session, wanted, () if found.functions else list(dict.fromkeys(functions)))
        there = {one.written for one in known}
        found.unseen |= {
            name for name in wanted if name.schema and name not in there and not _GENERATED.fullmatch(name.name)
        }
        names, functions = [below for one in known for below in _sort(found, one)], ()


def _sort(found: Underlying, one: _Found) -> Sequence[Name]:
    """Record the result of one name's lookup; return the names in a view's definition."""
    if one.kind == "FUNCTION":
        found.functions = True
    elif one.name.schema in _OF_THE_SERVER:  # a connection may default to one
        found.of_server.add(one.name)
    elif one.kind == "DEFINITION":
        found.views[one.name] = one.definition or None
        words = tokens(one.definition or "")
        found.functions |= not words or calls_stored(words)
        return list(tables(words))
    elif "VIEW" not in one.kind:
        found.engines[one.name] = one.engine
    return ()


def _ask(session: Session, names: Sequence[Name], functions: Sequence[Name]) -> list[_Found]:
    """Look up each name in the catalog."""
    questions = [(one, name) for name in names for one in (_TABLE, _VIEW)]
    questions += [(_FUNCTION, name) for name in functions]
    found: list[_Found] = []
    for begin in range(0, len(questions), _AT_ONCE):
        some = questions[begin : begin + _AT_ONCE]
        parameters = [value for at, (_, name) in enumerate(some) for value in (at, *name)]
        for at, schema, name, *rest in session.rows(" UNION ALL ".join(one for one, _ in some), *parameters):
            found.append(_Found(some[int(at)][1], Name(str(schema), str(name)), *rest))
    return found


def _quoted(name: Name) -> str:
    return ".".join(f"`{part.replace('`', '``')}`" for part in name if part is not None)
