"""Shapes of the rows of a log: one for each form of a table."""

from __future__ import annotations

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.errors import SchemaChangedError
from airflow_legacy_events.core.model import HIDDEN, LogForm
from airflow_legacy_events.sources.changelog.numbers import with_number
from airflow_legacy_events.sources.changelog.tables import LoggedTable

MARK = Shape(HIDDEN, data=(), key=())
"""Shape of a batch without rows, which only moves the watermark."""

PLACE, NUMBER, TIME, UNCHANGED = range(len(HIDDEN))


def shape_of(form: LogForm, table: LoggedTable, excluded: frozenset[int], *, before: bool) -> Shape:
    """Return the shape of changes: columns of the form, `HIDDEN`, then the old row's columns if they are wanted.

    Args:
        form: of the rows.
        table: whose rows they are.
        excluded: places of columns that are left out of `data`.
        before: whether each row is followed by its old row.
    """
    width = len(form.columns)
    places = {column.name: at for at, column in enumerate(form.columns)}
    data = tuple(at for at in range(width) if at not in excluded)
    old = width + len(HIDDEN)
    return Shape(
        (*form.columns, *HIDDEN, *(form.columns if before else ())),
        data=data,
        key=tuple(places[name] for name in table.entry.key),
        watermark=(width + PLACE, width + NUMBER),
        time=width + TIME,
        before=tuple(old + at for at in data) if before else (),
        unchanged=width + UNCHANGED,
        numbered=True,
        table=table.name,
        stream=table.stream,
    )


def truncated(table: LoggedTable) -> Shape:
    """Return the shape of a truncation, which has neither key nor data."""
    return Shape(
        HIDDEN,
        data=(),
        key=(),
        watermark=(PLACE, NUMBER),
        time=TIME,
        unchanged=UNCHANGED,
        numbered=True,
        table=table.name,
        stream=table.stream,
    )


def excluded_places(form: LogForm, table: LoggedTable, known: dict[str, tuple[int, ...]], where: str) -> frozenset[int]:
    """Return the places of the columns of a form that are left out of `data`.

    A column is known by its name and by its number. A name that fits neither way may be another name of a column whose
    values must not leave, so it is an error.

    Args:
        form: of the rows.
        table: whose rows they are.
        known: numbers of each excluded column by name; those that the form shows are added.
        where: the place of the first row, for the error.

    Raises:
        SchemaChangedError: a name fits no column.
    """
    numbers = form.numbers or (None,) * len(form.columns)
    for name, found in table.numbers.items():
        known.setdefault(name, found)
    for column, at in zip(form.columns, numbers, strict=True):
        if column.name in table.excluded:
            known.update(with_number(known, column.name, at))
    places: set[int] = set()
    missing = []
    for name in table.excluded:
        fits = [at for at, one in enumerate(form.columns) if one.name == name or numbers[at] in known.get(name, ())]
        places.update(fits)
        if not fits and (name not in known or None in numbers):
            missing.append(name)
    if missing:
        raise _unfit(form, table, missing, where)
    return frozenset(places)


def _unfit(form: LogForm, table: LoggedTable, missing: list[str], where: str) -> SchemaChangedError:
    return SchemaChangedError(
        f"exclude_columns= names {', '.join(map(repr, missing))}, which {table.what} does not have at {where} of its"
        f" log; nothing of it was sent. It has {', '.join(repr(one.name) for one in form.columns)} there: name the"
        " column in exclude_columns= by this name too, beside the one that it has now"
    )
