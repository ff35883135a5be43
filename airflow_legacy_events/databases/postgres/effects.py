"""What a DELETE or an UPDATE sets off in PostgreSQL besides foreign keys: triggers, rules and policies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import Connection

# A trigger of the table itself, or one of a partition or child, whose statements are never named.
_TRIGGERS = """
SELECT DISTINCT tgname, tgtype & 1 > 0, tgtype & 2 > 0, tgfoid::regproc::text,
       ARRAY(SELECT attname::text FROM pg_catalog.pg_attribute
              WHERE attrelid = tgrelid AND attnum = ANY (tgattr::int2[]) ORDER BY attnum)
  FROM pg_catalog.pg_trigger
 WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgtype & %(bit)s > 0
   AND (tgrelid = %(table)s OR tgrelid = ANY (%(tree)s::oid[]) AND tgtype & 1 > 0)
 ORDER BY tgname
"""
_RULES = """
SELECT rulename, is_instead FROM pg_catalog.pg_rewrite
 WHERE ev_class = %(table)s AND ev_type = %(type)s AND ev_enabled IN ('O', 'A') ORDER BY rulename
"""
# Rows that it may not read a statement with a condition does not change either.
_POLICIES = """
SELECT ARRAY(SELECT polname::text FROM pg_catalog.pg_policy
              WHERE polrelid = %(table)s AND polcmd IN ('*', 'r', %(command)s)
                AND EXISTS (SELECT FROM unnest(polroles) AS r WHERE r = 0 OR pg_has_role(r, 'USAGE')) ORDER BY polname)
 WHERE row_security_active(%(table)s::oid)
"""


class Event(NamedTuple):
    """A kind of statement, and how the catalog writes it.

    Attributes:
        word: in SQL.
        bit: of a trigger's type.
        type: of a rule.
        command: of a policy.
    """

    word: str
    bit: int
    type: str
    command: str


DELETE = Event("DELETE", 8, "4", "d")
UPDATE = Event("UPDATE", 16, "2", "w")


def set_off(session: Connection[Any], oid: int, tree: Sequence[int], event: Event) -> tuple[str, ...]:
    """Return what such a statement on the table sets off, each in words.

    Args:
        session: that reads the catalog.
        oid: of the table.
        tree: oids of the table, its partitions and its children.
        event: the kind of statement.
    """
    named = {"table": oid, "tree": list(tree), **event._asdict()}
    triggers = [_trigger(event, *row) for row in session.execute(_TRIGGERS, named)]
    rules = [
        f"rule {name} ON {event.word}{' DO INSTEAD' if instead else ''}"
        for name, instead in session.execute(_RULES, named)
    ]
    policies = [
        f"row-level security: {', '.join(names) or 'no policy'} says which rows this user may {event.word}"
        for (names,) in session.execute(_POLICIES, named)
    ]
    return (*triggers, *rules, *policies)


def _trigger(event: Event, name: str, each: bool, before: bool, function: str, columns: Sequence[str]) -> str:  # noqa: FBT001
    of = f" OF {', '.join(columns)}" if columns and event is UPDATE else ""
    for_each = "for each row" if each else "for each statement"
    return f"trigger {name} {'BEFORE' if before else 'AFTER'} {event.word}{of}, {for_each}: {function}()"
