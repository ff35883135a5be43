"""Facts that the catalog does not show, from the statements that make a table or sequence."""

from __future__ import annotations

import re
from collections.abc import Mapping

import MySQLdb

from airflow_legacy_events.databases.mysql.session import Session
from airflow_legacy_events.databases.mysql.written import facts

_FOREIGN = re.compile(r"^ *CONSTRAINT `((?:[^`]|``)+)` FOREIGN KEY .*$", re.MULTILINE)
_NAME = re.compile(r"`(?:[^`]|``)+`")
_RULE = re.compile(r"ON (UPDATE|DELETE) (CASCADE|SET NULL|SET DEFAULT|NO ACTION|RESTRICT)")
_NEXT = re.compile(r"\(?nextval\((`(?:[^`]|``)+`(?:\.`(?:[^`]|``)+`)?)\)\)?", re.IGNORECASE)


def references_of(session: Session, table: str) -> tuple[facts.Reference, ...] | None:
    """Return the foreign keys of a table, None if this user may not see them; `table` as a statement writes it."""
    try:
        [(_, text, *_)] = session.rows(f"SHOW CREATE TABLE {table}")
    except MySQLdb.OperationalError:
        return None
    found = []
    for one in _FOREIGN.finditer(text):
        rules = dict(_RULE.findall(_NAME.sub("", one[0])))
        found.append(facts.Reference(one[1], rules.get("UPDATE", "RESTRICT"), rules.get("DELETE", "RESTRICT")))
    return tuple(found)


def sequences_of(session: Session, columns: Mapping[str, facts.Given]) -> dict[str, facts.Sequence]:
    """Return the sequences that are defaults of columns, by the column's name."""
    named = {name: match for name, one in columns.items() if (match := _NEXT.fullmatch(one.default or ""))}
    return {name: _sequence(session, match[1]) for name, match in named.items()}


def _sequence(session: Session, name: str) -> facts.Sequence:
    try:
        rows = session.rows(f"SELECT increment, cache_size, cycle_option FROM {name}")  # noqa: S608  a quoted name
    except MySQLdb.Error:
        return facts.Sequence(name)
    [(increment, cache, cycles)] = rows
    return facts.Sequence(name, int(increment), int(cache), cycles != "0")
