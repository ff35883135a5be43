"""Statements that apply rows to a table of PostgreSQL, as sets from a source `x` to the table `t`.

Columns of the source are called `c` with the position of the table's column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.databases.postgres.target.facts import Facts

Positions = tuple[int, ...]


def facts_of(shape: TargetShape) -> Facts:
    """Return the facts of a shape that `reflecting` made."""
    facts = shape.facts
    assert isinstance(facts, Facts), "a shape of another database"  # noqa: S101
    return facts


def upsert(shape: TargetShape, given: Positions, source: str, *, whole: bool) -> str:
    """Return an INSERT that updates the rows that are there.

    Args:
        shape: of the table.
        given: positions of the columns that the source has.
        source: in SQL.
        whole: whether all other columns get their defaults.
    """
    facts = facts_of(shape)
    keys = ", ".join(facts.fields[at].name for at in shape.key)
    sets = list(_sets(shape, given, "EXCLUDED.{name}", whole=whole))
    conflict = "DO NOTHING" if not sets else f"DO UPDATE SET {', '.join(sets)}{_unless_newer(shape, given, 'EXCLUDED')}"
    return f"{insert(shape, given, source)} ON CONFLICT ({keys}) {conflict}"


def insert(shape: TargetShape, given: Positions, source: str) -> str:
    """Return an INSERT of the source's rows; what they leave out gets its default."""
    facts = facts_of(shape)
    columns = [facts.fields[at].name for at in given]
    values = [f"x.c{at}" for at in given]
    if shape.deleted is not None:
        columns.append(facts.fields[shape.deleted].name)
        values.append(_present(shape))
    overriding = " OVERRIDING SYSTEM VALUE" if any(facts.fields[at].always for at in given) else ""
    named, selected = ", ".join(columns), ", ".join(values)
    return f"INSERT INTO {facts.name} AS t ({named}){overriding} SELECT {selected} FROM {source} AS x"


def insert_missing(shape: TargetShape, given: Positions, source: str) -> str:
    """Return an INSERT of the rows whose keys are not there."""
    facts = facts_of(shape)
    there = f"SELECT FROM {facts.only}{facts.name} AS t WHERE {matched(shape)}"
    return f"{insert(shape, given, source)} WHERE NOT EXISTS ({there})"


def insert_new(shape: TargetShape, given: Positions, source: str) -> str:
    """Return an INSERT that passes over rows whose event id is there."""
    fields = facts_of(shape).fields
    unique = ", ".join(fields[at].name for at in shape.repeats)
    return f"{insert(shape, given, source)} ON CONFLICT ({unique}) DO NOTHING"


def update(shape: TargetShape, given: Positions, source: str, *, whole: bool) -> str | None:
    """Return an UPDATE of the rows that are there; None if the source has nothing but keys."""
    facts = facts_of(shape)
    sets = ", ".join(_sets(shape, given, "x.c{at}", whole=whole))
    condition = f"{matched(shape)}{_and_unless_newer(shape, given)}"
    return f"UPDATE {facts.only}{facts.name} AS t SET {sets} FROM {source} AS x WHERE {condition}" if sets else None


def delete(shape: TargetShape, given: Positions, source: str) -> str:
    """Return a DELETE of the source's keys, or the UPDATE that marks their rows as deleted."""
    facts = facts_of(shape)
    condition = f"{matched(shape)}{_and_unless_newer(shape, given)}"
    if shape.deleted is None:
        return f"DELETE FROM {facts.only}{facts.name} AS t USING {source} AS x WHERE {condition}"
    sets = ", ".join(_marks(shape, given))
    return f"UPDATE {facts.only}{facts.name} AS t SET {sets} FROM {source} AS x WHERE {condition}"


def delete_others(shape: TargetShape, source: str | None) -> str:
    """Return a DELETE of all rows but those whose keys the source has, or the UPDATE that marks them as deleted."""
    facts = facts_of(shape)
    conditions = [] if source is None else [f"NOT EXISTS (SELECT FROM {source} AS x WHERE {matched(shape)})"]
    if shape.deleted is not None:
        conditions.append(_unmarked(shape, shape.deleted))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    if shape.deleted is None:
        return f"DELETE FROM {facts.only}{facts.name} AS t{where}"
    return f"UPDATE {facts.only}{facts.name} AS t SET {', '.join(_marks(shape, ()))}{where}"


def count(shape: TargetShape, source: str) -> str:
    """Return a SELECT of how many of the source's keys are there."""
    facts = facts_of(shape)
    return f"SELECT pg_catalog.count(*) FROM {source} AS x JOIN {facts.only}{facts.name} AS t ON {matched(shape)}"


def count_newer(shape: TargetShape, given: Positions, source: str) -> str:
    """Return the same of the rows whose version is higher than the source's."""
    newer = f" WHERE {_newer(shape, 'x.c{}')}" if _has_version(shape, given) else " WHERE false"
    return count(shape, source) + newer


def count_unmarked(shape: TargetShape, source: str) -> str:
    """Return the same of the rows that are not marked as deleted."""
    assert shape.deleted is not None, "no column marks deleted rows"  # noqa: S101
    return f"{count(shape, source)} WHERE {_unmarked(shape, shape.deleted)}"


def count_repeats(shape: TargetShape, source: str) -> str:
    """Return a SELECT of how many of the source's event ids are there."""
    facts = facts_of(shape)
    same = " AND ".join(f"t.{facts.fields[at].name} OPERATOR(pg_catalog.=) x.c{at}" for at in shape.repeats)
    return (
        f"SELECT pg_catalog.count(*) FROM {source} AS x WHERE EXISTS (SELECT FROM {facts.only}{facts.name} AS t"
        f" WHERE {same})"
    )


def rounded(shape: TargetShape, given: Positions, source: str) -> str | None:
    """Return a SELECT of the positions whose type would drop digits of a value; None if no type does."""
    facts = facts_of(shape)
    parts = [
        f"SELECT {at} WHERE EXISTS (SELECT FROM {source} AS x WHERE CAST(x.c{at} AS {facts.fields[at].type})"
        f" OPERATOR(pg_catalog.<>) x.c{at})"
        for at in given
        if facts.fields[at].lossy
    ]
    return " UNION ALL ".join(parts) or None


def matched(shape: TargetShape, prefix: str = "x.c", alias: str = "t") -> str:
    """Return the condition that a row has the source's key."""
    facts = facts_of(shape)
    pairs = zip(shape.key, facts.equals, strict=True)
    return " AND ".join(f"{alias}.{facts.fields[at].name} {equal} {prefix}{at}" for at, equal in pairs)


def _sets(shape: TargetShape, given: Positions, value: str, *, whole: bool) -> Iterator[str]:
    for at, (field, column) in enumerate(zip(facts_of(shape).fields, shape.columns, strict=True)):
        if at == shape.deleted:
            yield f"{field.name} = {_present(shape)}"
        elif at in shape.key:
            continue
        elif at in given:
            yield f"{field.name} = {value.format(at=at, name=field.name)}"
        elif whole and column.written:
            yield f"{field.name} = DEFAULT"


def _marks(shape: TargetShape, given: Positions) -> Iterator[str]:
    """Yield what marks a row as deleted, and the version of the message that says so."""
    assert shape.deleted is not None, "no column marks deleted rows"  # noqa: S101
    fields = facts_of(shape).fields
    boolean = shape.columns[shape.deleted].kind is Kind.BOOLEAN
    yield f"{fields[shape.deleted].name} = {'true' if boolean else 'pg_catalog.now()'}"
    if shape.version is not None and shape.version in given:
        yield f"{fields[shape.version].name} = x.c{shape.version}"


def _unmarked(shape: TargetShape, deleted: int) -> str:
    name = facts_of(shape).fields[deleted].name
    return f"t.{name} IS NOT TRUE" if shape.columns[deleted].kind is Kind.BOOLEAN else f"t.{name} IS NULL"


def _present(shape: TargetShape) -> str:
    assert shape.deleted is not None, "no column marks deleted rows"  # noqa: S101
    return "false" if shape.columns[shape.deleted].kind is Kind.BOOLEAN else "NULL"


def _has_version(shape: TargetShape, given: Sequence[int]) -> bool:
    return shape.version is not None and shape.version in given


def _newer(shape: TargetShape, value: str) -> str:
    assert shape.version is not None, "a table without versions"  # noqa: S101
    return f"t.{facts_of(shape).fields[shape.version].name} > {value.format(shape.version)}"


def _unless_newer(shape: TargetShape, given: Positions, source: str) -> str:
    if not _has_version(shape, given) or shape.version is None:
        return ""
    value = f"{source}.{facts_of(shape).fields[shape.version].name}"
    return f" WHERE ({_newer(shape, value)}) IS NOT TRUE"


def _and_unless_newer(shape: TargetShape, given: Positions) -> str:
    return f" AND ({_newer(shape, 'x.c{}')}) IS NOT TRUE" if _has_version(shape, given) else ""
