"""Rows that are there: which keys of a batch the table holds, in which spelling and version."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.errors import ConfigurationError, TargetError
from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports.target import TransactionLostError
from airflow_legacy_events.databases.applying import statements
from airflow_legacy_events.databases.applying.binding import BoundState, fitting
from airflow_legacy_events.databases.applying.within import Within

_SPELLED = frozenset({Kind.TEXT, Kind.ANY, Kind.JSON})


class There(NamedTuple):
    """A row that the table holds.

    Attributes:
        key: as the driver returns it.
        version: stored in its version column; None without one.
    """

    key: tuple[Any, ...]
    version: Any


def look(unit: Within, shape: TargetShape, keys: Iterable[Sequence[Any]]) -> dict[Hashable, There]:
    """Return which rows are there, by the identity of their keys, or of their event ids where rows are appended.

    Args:
        unit: of the transaction.
        shape: of the table.
        keys: as the driver takes them.

    Raises:
        ConfigurationError: a row has another spelling of a key, which the database alone takes for equal.
    """
    found: dict[Hashable, There] = {}
    by = shape.key or shape.repeats
    several, width = list(keys), len(by)
    size = max(1, unit.keys_per_statement // width)
    positions = by if shape.version is None else (*by, shape.version)
    for first in range(0, len(several), size):
        statement = statements.select(shape, by, several[first : first + size], positions)
        with unit.session.doing(f"looking for rows of table {shape.table!r}"), fitting():
            rows = unit.connection.execute(statement).fetchall()
        for row in rows:
            key = tuple(row[:width])
            version = None if shape.version is None else row[width]
            found[shape.facts.stored_identity(key)] = There(key, version)
    if found.keys() - {shape.facts.stored_identity(one) for one in several}:
        raise _spelled_otherwise(shape, by[0])
    return found


def refuse_spelling(shape: TargetShape, stored: Sequence[Any], given: Sequence[Any]) -> None:
    """Check that a key is spelled as a row has it, where the table calls two spellings equal.

    Raises:
        ConfigurationError: it is another spelling, so one row would stand for two.
    """
    for at, one, other in zip(shape.key or shape.repeats, stored, given, strict=True):
        column = shape.columns[at]
        if one == other or column.kind not in _SPELLED or not (isinstance(one, str) and isinstance(other, str)):
            continue
        if _is_padded(column.type) and one.rstrip(" ") == other.rstrip(" "):
            continue
        raise _spelled_otherwise(shape, at)


def _spelled_otherwise(shape: TargetShape, at: int) -> ConfigurationError:
    return ConfigurationError(
        f"table {shape.table!r} takes two spellings of a key for one: {shape.columns[at].name!r} of a message and of a"
        f" row differ, and its collation or type calls them equal{shape.facts.how_compared}, so one row would stand for"
        " two. Nothing of the batch was applied.\nGive the key columns a binary or case-sensitive collation, or correct"
        " the keys at their source"
    )


def is_newer(shape: TargetShape, there: There, one: BoundState) -> bool:
    """Return whether a row's version is above that of a message; without one of the two it is not."""
    if shape.version is None or there.version is None or one.row[shape.version] is None:
        return False
    return bool(there.version > one.row[shape.version])


def explain(unit: Within, shape: TargetShape, some: Sequence[BoundState], *, inserted: bool = False) -> Exception:
    """Return the error for rows of which fewer were written than were sent: another writer's, or the table's own doing.

    Args:
        unit: of the transaction.
        shape: of the table.
        some: the rows.
        inserted: whether they were not there before.
    """
    there = look(unit, shape, [one.key for one in some])
    if not inserted and any(one.name not in there or is_newer(shape, there[one.name], one) for one in some):
        return TransactionLostError(f"another writer changed rows of table {shape.table!r} meanwhile")
    return kept_out(shape)


def kept_out(shape: TargetShape) -> TargetError:
    """Return the error for rows that the table itself kept out, changed or brought back."""
    known = f" Found there: {shape.facts.keeps_out}." if shape.facts.keeps_out else ""
    return TargetError(
        f"table {shape.table!r} did not take all rows: disable what keeps them out, such as a trigger, a rule or a"
        f" row-level security policy, for the user of this connection.{known} Nothing of the batch was applied"
    )


def _is_padded(type_: str) -> bool:
    """Return whether values of a type come back filled up with spaces, such as CHAR(8)."""
    name = type_.upper()
    return name.startswith(("CHAR", "NCHAR", "BPCHAR")) and "VARYING" not in name
