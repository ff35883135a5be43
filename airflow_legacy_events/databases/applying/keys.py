"""Key of a target's table: the one that the user names, else the primary key, else a unique index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from airflow_legacy_events.core.columns import TEMPORAL, Kind
from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.core.ports.target import Wanted

_COMPARED = frozenset({*TEMPORAL, Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.SINGLE})


class Reflected(NamedTuple):
    """A table as the catalog has it.

    Attributes:
        table: as the user wrote it.
        columns: in order.
        primary: names of the primary key's columns.
        unique: names of the columns of each unique index or constraint that covers every row.
    """

    table: str
    columns: tuple[TargetColumn, ...]
    primary: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...]

    def position(self, name: str) -> int | None:
        """Return the position of a column, None if there is none of that name."""
        return next((at for at, one in enumerate(self.columns) if one.name == name), None)


class Roles(NamedTuple):
    """Positions of the columns with a role; see `core.model.changes.TargetShape`."""

    key: tuple[int, ...]
    version: int | None
    deleted: int | None
    repeats: tuple[int, ...]


def roles_of(found: Reflected, wanted: Wanted, problems: list[str]) -> Roles:
    """Return the columns with a role, and add what is wrong with them to `problems`."""
    return Roles(
        () if wanted.append else _key(found, wanted, problems),
        _version(found, wanted, problems),
        _deleted(found, wanted, problems),
        _repeats(found, wanted) if wanted.append else (),
    )


def _key(found: Reflected, wanted: Wanted, problems: list[str]) -> tuple[int, ...]:
    each = tuple(dict.fromkeys([found.primary, *found.unique])) if found.primary else found.unique
    if wanted.key:
        if missing := [one for one in wanted.key if found.position(one) is None]:
            problems.append(f"key_columns: there is no column {_listed(missing)}; it has {_listed(_names(found))}")
            return ()
        if not any(set(one) == set(wanted.key) for one in each):
            problems.append(
                f"key_columns={list(wanted.key)}: create a unique index over them, since none has exactly these columns"
                f" and equal keys would be several rows. Found are {_unique(each)}"
            )
        return _positions(found, wanted.key)
    not_null = {one.name for one in found.columns if not one.nullable}
    chosen = next((one for one in each if one == found.primary or set(one) <= not_null), ())
    if not chosen:
        problems.append(
            "mode='upsert' needs a key: add a primary key, or a unique index over columns that are NOT NULL, name"
            f" key_columns=[...] of a unique index, or use mode='append'. Found are {_unique(each)}"
        )
    return _positions(found, chosen)


def _version(found: Reflected, wanted: Wanted, problems: list[str]) -> int | None:
    if wanted.version is None:
        return None
    at = found.position(wanted.version)
    if at is None:
        problems.append(f"version_column: {_no_column(found, wanted.version)}")
    elif found.columns[at].kind not in _COMPARED:
        problems.append(
            f"version_column={wanted.version!r}: name a column of numbers or times; it is {found.columns[at].type},"
            " whose values have no order that every database agrees on"
        )
    elif wanted.append:
        problems.append("version_column: leave it out with mode='append', where each message is a row of its own")
    return at


def _deleted(found: Reflected, wanted: Wanted, problems: list[str]) -> int | None:
    if wanted.deleted is None:
        return None
    at = found.position(wanted.deleted)
    if at is None:
        problems.append(f"deleted_column: {_no_column(found, wanted.deleted)}")
        return None
    column = found.columns[at]
    if column.kind not in (*TEMPORAL, Kind.BOOLEAN):
        problems.append(
            f"deleted_column={wanted.deleted!r}: name a boolean column, or one of times, which gets the time of the"
            f" deletion; it is {column.type}"
        )
    elif column.kind in TEMPORAL and not column.nullable:
        problems.append(
            f"deleted_column={wanted.deleted!r}: drop its NOT NULL; it is NULL while the row is not deleted"
        )
    elif not column.written:
        problems.append(f"deleted_column={wanted.deleted!r}: name another column; this one is generated")
    return at


def _repeats(found: Reflected, wanted: Wanted) -> tuple[int, ...]:
    name = wanted.event_id
    is_unique = name is not None and any(one == (name,) for one in (found.primary, *found.unique))
    return _positions(found, (name,)) if is_unique and name is not None else ()


def _positions(found: Reflected, names: Sequence[str]) -> tuple[int, ...]:
    return tuple(at for name in names if (at := found.position(name)) is not None)


def _no_column(found: Reflected, name: str) -> str:
    return f"there is no column {name!r}; it has {_listed(_names(found))}"


def _names(found: Reflected) -> list[str]:
    return [one.name for one in found.columns]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))


def _unique(each: Sequence[tuple[str, ...]]) -> str:
    return "; ".join(f"({', '.join(one)})" for one in each) or "no unique indexes"
