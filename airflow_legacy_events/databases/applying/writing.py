"""Rows written: UPDATE of those that are there, INSERT of those that are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from airflow_legacy_events.core.columns import ABSENT, Kind
from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports.target import TransactionLostError
from airflow_legacy_events.databases.applying import statements
from airflow_legacy_events.databases.applying.binding import BoundState, fitting
from airflow_legacy_events.databases.applying.looking import explain, look
from airflow_legacy_events.databases.applying.session import UniqueObjectionError
from airflow_legacy_events.databases.applying.within import Within


class Form(NamedTuple):
    """What rows that one statement writes have in common.

    Attributes:
        given: positions of columns with a value of their own.
        defaults: positions of columns that get their default, such as an absent one of a row that was deleted before.
        versioned: whether the message has a version.
    """

    given: tuple[int, ...]
    defaults: tuple[int, ...]
    versioned: bool


def update(unit: Within, shape: TargetShape, some: Sequence[BoundState]) -> None:
    """Update rows that are there.

    Raises:
        TransactionLostError: another writer changed them meanwhile.
        TargetError: the table kept some out.
    """
    for form, group in grouped(shape, some).items():
        given = tuple(at for at in form.given if at not in shape.key)
        further = further_of(shape, form)
        if not given and not further:
            continue
        statement = statements.update(shape, given, further, versioned=form.versioned)
        parameters = [with_version(shape, one, one.parameters(given)) for one in group]
        number = executed(unit, statement, parameters, counts=not unit.trusts_triggers)
        if number < 0:  # no trigger can have kept a row out: those that are there were updated
            number = len(look(unit, shape, [one.key for one in group]))
        if number != len(group):
            raise explain(unit, shape, group)


def insert(unit: Within, shape: TargetShape, some: Sequence[BoundState]) -> None:
    """Insert rows that are missing.

    Raises:
        TransactionLostError: another writer was faster.
        TargetError: the table kept some out.
    """
    if not some:
        return
    if not unit.rechecks_inserts:
        _insert(unit, shape, some)
        return
    try:
        with unit.savepoint(), unit.session.doing(f"inserting rows into table {shape.table!r}"):
            _insert(unit, shape, some)
    except UniqueObjectionError:
        if look(unit, shape, [one.key for one in some]):
            raise TransactionLostError(f"another writer inserted a key into table {shape.table!r} meanwhile") from None
        raise


def _insert(unit: Within, shape: TargetShape, some: Sequence[BoundState]) -> None:
    groups: dict[tuple[int, ...], list[BoundState]] = {}
    for one in some:
        groups.setdefault(one.given, []).append(one)
    for given, group in groups.items():
        names = [f"{statements.COLUMN}{at}" for at in given]
        parameters = [dict(zip(names, (one.row[at] for at in given), strict=True)) for one in group]
        number = executed(unit, statements.insert(shape, given), parameters, counts=False)
        if number < 0 and shape.key:  # the driver does not count inserted rows
            number = len(look(unit, shape, [one.key for one in group]))
        if 0 <= number != len(group):
            raise explain(unit, shape, group, inserted=True)


def grouped(shape: TargetShape, some: Sequence[BoundState]) -> Mapping[Form, list[BoundState]]:
    """Return rows by what they have in common, each group in their order."""
    found: dict[Form, list[BoundState]] = {}
    for one in some:
        state = one.state
        defaults = tuple(
            at
            for at, column in enumerate(shape.columns)
            if state.whole and state.row[at] is ABSENT and column.written and not column.numbered
        )
        given = one.given if shape.deleted is None else tuple(at for at in one.given if at != shape.deleted)
        versioned = shape.version is not None and one.row[shape.version] is not None
        found.setdefault(Form(given, defaults, versioned), []).append(one)
    return found


def further_of(shape: TargetShape, form: Form) -> list[tuple[int, Any]]:
    """Return the SQL of columns without a value of their own: defaults, and the mark that a row is not deleted."""
    further = [(at, shape.facts.defaults[at]) for at in form.defaults if at != shape.deleted]
    if shape.deleted is not None:
        further.append((shape.deleted, not_deleted(shape)))
    return further


def not_deleted(shape: TargetShape) -> Any:
    """Return the SQL of the mark that a row is not deleted."""
    assert shape.deleted is not None, "a table without marks"  # noqa: S101
    return sa.false() if shape.columns[shape.deleted].kind is Kind.BOOLEAN else sa.null()


def with_version(shape: TargetShape, one: BoundState, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return parameters, with the version where the message has one."""
    if shape.version is not None and one.row[shape.version] is not None:
        parameters[statements.VERSION] = one.row[shape.version]
    return parameters


def executed(unit: Within, statement: Any, parameters: Sequence[dict[str, Any]], *, counts: bool = True) -> int:
    """Run a statement for each of several parameters; return how many rows it changed in all.

    Below 0 if the driver can't count them at once and it need not; else they are run one by one.
    """
    connection, doing = unit.connection, "writing rows"
    is_counted = connection.dialect.supports_sane_multi_rowcount
    if is_counted or not counts:
        with unit.session.doing(doing), fitting():
            number = int(connection.execute(statement, list(parameters)).rowcount)
        return number if is_counted else -1
    number = 0
    for one in parameters:
        with unit.session.doing(doing), fitting():
            number += connection.execute(statement, one).rowcount
    return number
