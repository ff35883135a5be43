"""Catalog facts about PostgreSQL tables that decide how complete a run can be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from psycopg import sql

# No joins: in a fresh session planning takes most of the time. Dependency types are those of `generators`. Within one
# session a default prints the name of its sequence as a cast to regclass does.
STATEMENTS = """
SELECT oid::pg_catalog.int8, oid::pg_catalog.regclass::pg_catalog.text, relkind::pg_catalog.text,
       pg_catalog.pg_is_in_recovery(), pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'),
       pg_catalog.quote_ident(current_user),
       EXISTS (SELECT FROM pg_catalog.pg_subscription_rel
                WHERE srrelid OPERATOR(pg_catalog.=) c.oid
                   OR pg_catalog.pg_partition_root(srrelid::pg_catalog.regclass) OPERATOR(pg_catalog.=) c.oid),
       ARRAY(SELECT ARRAY[tgname::pg_catalog.text, pg_catalog.encode(tgargs, 'escape'),
                          (SELECT prosrc FROM pg_catalog.pg_proc AS p WHERE p.oid OPERATOR(pg_catalog.=) tgfoid)]
               FROM pg_catalog.pg_trigger
              WHERE relhastriggers AND tgrelid OPERATOR(pg_catalog.=) c.oid AND NOT tgisinternal
                AND tgenabled OPERATOR(pg_catalog.=) ANY ('{{O,A}}'::pg_catalog."char"[])
                AND (tgtype::pg_catalog.int4 OPERATOR(pg_catalog.&) 3) OPERATOR(pg_catalog.=) 3)
  FROM pg_catalog.pg_class AS c WHERE oid OPERATOR(pg_catalog.=) ANY ({oids});
SELECT adrelid::pg_catalog.int8, adnum, pg_catalog.pg_get_expr(adbin, adrelid) FROM pg_catalog.pg_attrdef
 WHERE adrelid OPERATOR(pg_catalog.=) ANY ({oids});
SELECT seqrelid::pg_catalog.regclass::pg_catalog.text, seqcache, seqincrement, seqcycle,
       ARRAY(SELECT ARRAY[refobjid::pg_catalog.int8, refobjsubid::pg_catalog.int8] FROM pg_catalog.pg_depend
              WHERE classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
                AND objid OPERATOR(pg_catalog.=) seqrelid
                AND refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
                AND deptype OPERATOR(pg_catalog.=) ANY ('{{a,i}}'::pg_catalog."char"[]))
  FROM pg_catalog.pg_sequence
 WHERE seqrelid OPERATOR(pg_catalog.=) ANY (pg_catalog.array_cat(
         ARRAY(SELECT objid FROM pg_catalog.pg_depend
                WHERE refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
                  AND refobjid OPERATOR(pg_catalog.=) ANY ({oids})
                  AND classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
                  AND deptype OPERATOR(pg_catalog.=) ANY ('{{a,i}}'::pg_catalog."char"[])),
         ARRAY(SELECT refobjid FROM pg_catalog.pg_depend
                WHERE classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_attrdef'::pg_catalog.regclass
                  AND objid OPERATOR(pg_catalog.=) ANY (ARRAY(
                        SELECT oid FROM pg_catalog.pg_attrdef WHERE adrelid OPERATOR(pg_catalog.=) ANY ({oids})))
                  AND refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass)))
"""
"""SELECTs of tables, defaults and sequences, for `Writing.of`; `oids` is an expression of an array of relations."""

_BELOW = """
SELECT pg_catalog.set_config('legacy_events.below', ARRAY(
         SELECT oid FROM pg_catalog.pg_class
          WHERE oid OPERATOR(pg_catalog.=) ANY ({below}) AND NOT relispartition
            AND relkind OPERATOR(pg_catalog.=) ANY ('{{r,p,f}}'::pg_catalog."char"[]))::pg_catalog.text, true)
"""
_FOUND = "ARRAY(SELECT pg_catalog.unnest(pg_catalog.current_setting('legacy_events.below')::pg_catalog.oid[]))"
_NAMES = """
SELECT attrelid::pg_catalog.int8, attnum, attname::pg_catalog.text FROM pg_catalog.pg_attribute
 WHERE attrelid OPERATOR(pg_catalog.=) ANY ({oids}) AND attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2
   AND NOT attisdropped
"""
_NEXT = re.compile(r"nextval\('(.*?)'::(?:pg_catalog\.)?regclass\)", re.DOTALL)


class Generator(NamedTuple):
    """A sequence.

    Attributes:
        name: as written in SQL.
        cache: number of values that a session takes at once.
        increment: from one value to the next.
        cycles: whether it begins again after its last value.
    """

    name: str
    cache: int
    increment: int
    cycles: bool


class Given(NamedTuple):
    """What gives the values of a column that a statement leaves out.

    Attributes:
        default: expression of its default; None if it has none.
        generators: sequences that the default names; else those of an identity column, or owned by the column.
    """

    default: str | None = None
    generators: tuple[Generator, ...] = ()


class Trigger(NamedTuple):
    """A trigger that may change a row before it is written.

    Attributes:
        name: of it.
        arguments: of its function, each followed by a zero byte, as an escaped text.
        source: of its function; the symbol of one in C.
    """

    name: str
    arguments: str
    source: str


class WrittenTable(NamedTuple):
    """A table or view.

    Attributes:
        name: as written in SQL.
        kind: as in the catalog.
        subscribed: whether its rows arrive from another server.
        triggers: before each row.
        columns: by name.
    """

    name: str
    kind: str
    subscribed: bool
    triggers: tuple[Trigger, ...]
    columns: Mapping[str, Given]


class Writing(NamedTuple):
    """What `Database.writers` needs of the catalog.

    Attributes:
        standby: whether the server is one.
        sees_all: whether this user sees since when each session of others works.
        user: this user, as in a GRANT.
        tables: the one that is read, or those below a view or query.
        kind: of what is read, as in the catalog; None for a query.
        renamed: columns of the views below that are expressions, or have another name in their table.
        origins: columns of a query that show a column of a table, or of a view: the table's name, empty for a view, and
            the column's.
    """

    standby: bool
    sees_all: bool
    user: str
    tables: tuple[WrittenTable, ...]
    kind: str | None = None
    renamed: frozenset[str] = frozenset()
    origins: Mapping[str, tuple[str, str]] | None = None

    @classmethod
    def below(
        cls,
        answers: Sequence[Sequence[Any]],
        kind: str | None,
        renamed: frozenset[str],
        origins: Mapping[str, tuple[int, int]] | None = None,
    ) -> Writing:
        """Return the facts of the tables below a view or query.

        Args:
            answers: to `statements_below`.
            kind: of the view.
            renamed: see above.
            origins: of a query's columns, each as `Field.origin`.
        """
        names: dict[int, dict[int, str]] = {}
        for oid, number, name in answers[-1]:
            names.setdefault(oid, {})[number] = name
        found = cls.of(answers[1:-1], names, kind)._replace(renamed=renamed)
        if origins is None:
            return found
        tables = {one[0]: one[1] for one in answers[1]}
        shown = {
            column: (tables.get(oid, ""), names.get(oid, {}).get(number, column))
            for column, (oid, number) in origins.items()
            if oid
        }
        return found._replace(origins=shown)

    def sources(self, column: str) -> tuple[tuple[WrittenTable, str], ...]:
        """Return the tables that may hold a column of what is read, each with the column's name there."""
        table = ""
        if self.origins is not None:
            if column not in self.origins:
                return ()
            table, column = self.origins[column]
        if not table and (column in self.renamed or f'"{column}"' in self.renamed):
            return ()
        return tuple((one, column) for one in self.tables if column in one.columns and table in ("", one.name))

    @classmethod
    def of(cls, answers: Sequence[Sequence[Any]], names: Mapping[int, Mapping[int, str]], kind: str | None) -> Writing:
        """Return the facts.

        Args:
            answers: to `STATEMENTS`.
            names: of the columns, by relation and number.
            kind: of what is read.
        """
        tables, defaults, sequences = answers
        texts = {(oid, number): text for oid, number, text in defaults}
        known = {one[0]: Generator(*one[:4]) for one in sequences}
        owned: dict[tuple[int, int], list[Generator]] = {}
        for *found, owners in sequences:
            for oid, number in owners:
                owned.setdefault((oid, number), []).append(Generator(*found))

        def given(place: tuple[int, int]) -> Given:
            text = texts.get(place)
            used = [one.replace("''", "'") for one in _NEXT.findall(text or "")]
            return Given(text, tuple(known[one] for one in used if one in known) or tuple(owned.get(place, ())))

        found = tuple(
            WrittenTable(
                *(name, of_kind, subscribed, tuple(Trigger(*one) for one in triggers)),
                columns={column: given((oid, number)) for number, column in names.get(oid, {}).items()},
            )
            for oid, name, of_kind, _, _, _, subscribed, triggers in sorted(tables)
        )
        standby, sees_all, user = tables[0][3:6] if tables else (False, False, "")
        return cls(standby, sees_all, user, found, kind)


def statements_below(below: sql.Composable) -> list[sql.Composable]:
    """Return the SELECTs for `Writing.below`, of one transaction.

    Args:
        below: expression of an array of relations.
    """
    about = (*STATEMENTS.split(";"), _NAMES)
    return [sql.SQL(_BELOW).format(below=below), *(sql.SQL(one).format(oids=sql.SQL(_FOUND)) for one in about)]
