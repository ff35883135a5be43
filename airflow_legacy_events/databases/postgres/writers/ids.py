"""How complete a PostgreSQL stream by id is below its horizon."""

from __future__ import annotations

import re
from collections.abc import Iterator

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.ports import Written
from airflow_legacy_events.databases.postgres.writers.remedies import instead, spelled
from airflow_legacy_events.databases.postgres.written import Generator, Given, Writing, WrittenTable
from airflow_legacy_events.databases.verdict import BOUNDED, Verdict, gap

_NUMBERS = (Kind.INTEGER, Kind.DECIMAL)
_PLAIN = re.compile(r"\(?nextval\('.*'::(?:pg_catalog\.)?regclass\)\)?(?:::\w+)?", re.DOTALL)


def judged_ids(of: Written, facts: Writing, table: WrittenTable, column: str) -> Verdict:
    """Return completeness and reason of a column that is no time; `column` as its table names it."""
    given = table.columns.get(column, Given())
    if (found := _origin(of, facts, table, column, given)) is not None:
        return found
    [sequence] = given.generators
    if wrong := list(_out_of_order(sequence)):
        faults, settings = zip(*wrong, strict=True)
        why = f"ids of sequence {sequence.name} may be written in another order than it gives them: {', '.join(faults)}"
        return gap(why, f"ALTER SEQUENCE {sequence.name} {' '.join(settings)}; or {instead(facts)}")
    return Verdict(
        BOUNDED,
        f"each transaction takes its values of {column!r} from sequence {sequence.name} itself; ids that were taken"
        f" before it, such as those of a pool, or that are set by hand, are not waited for; {instead(facts)}",
    )


def _origin(of: Written, facts: Writing, table: WrittenTable, column: str, given: Given) -> Verdict | None:
    """Return the gap of ids that no sequence gives, None if one does."""
    name = spelled(column)
    if of.column.kind not in _NUMBERS or not given.generators:
        why = f"no sequence gives the values of column {column!r}, of type {of.column.type}: lower ones may come later"
        owned = f"ALTER SEQUENCE … OWNED BY {table.name}.{name} names the one that the application takes them from; or "
        return gap(why, f"{owned if of.column.kind in _NUMBERS else ''}{instead(facts)}")
    if given.default is not None and "nextval" in given.default and not _PLAIN.fullmatch(given.default):
        why = f"the default of column {column!r} computes its values from more than the next value of a sequence"
        return gap(why, f"ALTER TABLE {table.name} ALTER COLUMN {name} SET DEFAULT nextval(…); or {instead(facts)}")
    if len(given.generators) > 1:
        names = ", ".join(one.name for one in given.generators)
        return gap(f"column {column!r} has several sequences: {names}", f"Let it have one; or {instead(facts)}")
    return None


def _out_of_order(sequence: Generator) -> Iterator[tuple[str, str]]:
    """Yield what lets a sequence's values be written in another order, each with the setting that ends it."""
    if sequence.cache != 1:
        yield f"each session takes {sequence.cache} at once (CACHE {sequence.cache})", "CACHE 1"
    if sequence.increment != 1:
        between = "an application may give those between itself" if sequence.increment > 1 else "they go down"
        yield f"{between} (INCREMENT {sequence.increment})", "INCREMENT 1"
    if sequence.cycles:
        yield "they begin again after the last one (CYCLE)", "NO CYCLE"
