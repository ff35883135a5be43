"""Side effects of a DELETE or an UPDATE in PostgreSQL besides foreign keys: triggers, rules and policies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import Connection

# Triggers of the table itself, and row-level ones of its partitions and children: no statement names those.
_TRIGGERS = """
SELECT DISTINCT tgname, each, before, tgfoid::pg_catalog.regproc::pg_catalog.text,
       ARRAY(SELECT attname::pg_catalog.text FROM pg_catalog.pg_attribute
              WHERE attrelid OPERATOR(pg_catalog.=) tgrelid
                AND attnum OPERATOR(pg_catalog.=) ANY (tgattr::pg_catalog.int2[]) ORDER BY attnum)
  FROM (SELECT *, pg_catalog.int4(tgtype) AS type,
               (pg_catalog.int4(tgtype) OPERATOR(pg_catalog.&) 1) OPERATOR(pg_catalog.>) 0 AS each,
               (pg_catalog.int4(tgtype) OPERATOR(pg_catalog.&) 2) OPERATOR(pg_catalog.>) 0 AS before
          FROM pg_catalog.pg_trigger) AS t
 WHERE NOT tgisinternal AND tgenabled OPERATOR(pg_catalog.=) ANY ('{O,A}'::pg_catalog."char"[])
   AND (type OPERATOR(pg_catalog.&) %(bit)s::pg_catalog.int4) OPERATOR(pg_catalog.>) 0
   AND (tgrelid OPERATOR(pg_catalog.=) %(table)s::pg_catalog.oid
        OR tgrelid OPERATOR(pg_catalog.=) ANY (%(tree)s::pg_catalog.oid[]) AND each)
 ORDER BY tgname
"""
_RULES = """
SELECT rulename, is_instead FROM pg_catalog.pg_rewrite
 WHERE ev_class OPERATOR(pg_catalog.=) %(table)s::pg_catalog.oid
   AND ev_type OPERATOR(pg_catalog.=) %(type)s::pg_catalog."char"
   AND ev_enabled OPERATOR(pg_catalog.=) ANY ('{O,A}'::pg_catalog."char"[]) ORDER BY rulename
"""
# A statement with a condition can't change rows that its user may not read.
_POLICIES = """
SELECT ARRAY(SELECT polname::pg_catalog.text FROM pg_catalog.pg_policy
              WHERE polrelid OPERATOR(pg_catalog.=) %(table)s::pg_catalog.oid
                AND polcmd OPERATOR(pg_catalog.=) ANY (ARRAY['*', 'r', %(command)s]::pg_catalog."char"[])
                AND EXISTS (SELECT FROM pg_catalog.unnest(polroles) AS r (role)
                             WHERE role OPERATOR(pg_catalog.=) 0::pg_catalog.oid
                                OR pg_catalog.pg_has_role(role, 'USAGE')) ORDER BY polname)
 WHERE pg_catalog.row_security_active(%(table)s::pg_catalog.oid)
"""


class Event(NamedTuple):
    """A kind of statement, with its codes in the catalog.

    Attributes:
        word: its SQL keyword.
        bit: in a trigger's `tgtype`.
        type: a rule's `ev_type`.
        command: a policy's `polcmd`.
    """

    word: str
    bit: int
    type: str
    command: str


DELETE = Event("DELETE", 8, "4", "d")
UPDATE = Event("UPDATE", 16, "2", "w")


def set_off(session: Connection[Any], oid: int, tree: Sequence[int], event: Event) -> tuple[str, ...]:
    """Return a readable description of each side effect of such a statement on the table.

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
