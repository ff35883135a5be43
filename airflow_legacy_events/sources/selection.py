"""Column selection: which columns a query reads and the role of each. All faults in it are found here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from airflow_legacy_events.core.columns import TEMPORAL, Column, Kind, Shape
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import Reflection
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.sources import withheld


@dataclass(frozen=True)
class Selection:
    """Selected columns of one query source.

    Attributes:
        shape: of the rows that are read.
        position: places in a row of the watermark columns, then of the remaining key columns.
        op: of the rows of an incremental run: `c` if a row never changes, else `u`.
        unique: column lists that the catalog proves to be unique.
        named_key: whether the user named the key.
        unknown: what could not be determined of the columns, each in words with the GRANT that would allow it.
        identity: places of the columns that identify a row; empty where the message key does.
    """

    shape: Shape
    position: tuple[int, ...]
    op: str
    unique: tuple[tuple[str, ...], ...] = ()
    named_key: bool = True
    unknown: tuple[str, ...] = ()
    identity: tuple[int, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of a watermark, in order."""
        return tuple(self.shape.columns[at] for at in self.position)

    @property
    def distinct(self) -> bool:
        """Whether the catalog proves that positions are unique."""
        return self._identifies(column.name for column in self.columns)

    @property
    def keyed(self) -> bool:
        """Whether the catalog proves that keys are unique."""
        return self._identifies(self.shape.named(self.shape.key))

    def _identifies(self, names: Iterable[str]) -> bool:
        known = set(names)
        return any(known.issuperset(one) for one in self.unique)


@dataclass(frozen=True)
class ColumnRequest:
    """The user's arguments about columns, by name; see `sources.query.QuerySource`.

    Attributes:
        what: the table or query, for messages.
        window_column: by which a replay filters; None: a live run.
    """

    what: str
    watermark_columns: tuple[str, ...]
    key_columns: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None
    exclude_columns: tuple[str, ...] = ()
    message_columns: tuple[str, ...] = ()
    window_column: str | None = None


def by_window(selection: Selection, column: str) -> Selection:
    """Return the same columns in the order of `column`, then of the key: rows of a replay, with op `r`."""
    shape = selection.shape
    first = next(at for at, found in enumerate(shape.columns) if found.name == column)
    return replace(selection, position=tuple(dict.fromkeys([first, *shape.key])), op="r")


def select_columns(request: ColumnRequest, found: Reflection) -> Selection:
    """Return the columns to read: `data` in its order, then those that only the watermark, key and message need.

    Raises:
        ConfigurationError: a column is missing or ambiguous, its type is not supported, or there is no key; all faults
            are in one error.
    """
    known = {column.name: column for column in found.columns}
    data, key = _data_and_key(request, known, found)
    names = list(dict.fromkeys([*data, *_hidden(request, key)]))
    place = {name: at for at, name in enumerate(names)}
    columns = tuple(known[name] for name in names)
    time = next((name for name in request.watermark_columns if known[name].kind in TEMPORAL), None)
    shape = Shape(
        columns,
        data=tuple(place[name] for name in data),
        key=tuple(place[name] for name in key),
        watermark=tuple(place[name] for name in request.watermark_columns),
        time=None if time is None else place[time],
    )
    position = tuple(place[name] for name in dict.fromkeys([*request.watermark_columns, *key]))
    op = "c" if _never_changes(request, known, found) else "u"
    known_key, unseen = bool(request.key_columns), withheld.unseen(found, request.columns)
    return Selection(shape, position, op, found.state.distinct, named_key=known_key, unknown=unseen)


def _refuse_repeated(request: ColumnRequest, found: Reflection) -> None:
    repeated = [name for name, count in Counter(column.name for column in found.columns).items() if count > 1]
    if repeated:
        raise ConfigurationError(
            f"{request.what} returns the column names {', '.join(map(repr, repeated))} more than once; nothing was"
            " read. Give each column a name of its own with AS"
        )


def _data_and_key(
    request: ColumnRequest, known: dict[str, Column], found: Reflection
) -> tuple[list[str], tuple[str, ...]]:
    """Return the names of data and key columns; every fault of names and types is reported."""
    problems = Problems()
    key: tuple[str, ...] = ()
    with problems.collect():
        _refuse_repeated(request, found)
    with problems.collect():
        key = _default_key(request, found, known) if request.key_columns is None else request.key_columns
    available = [*known, *found.refused, *found.withheld.names]
    listed = [name for name in available if name not in found.unlisted]
    data = [name for name in request.columns or listed if name not in request.exclude_columns]
    hidden = _hidden(request, key)
    with problems.collect():
        withheld.refuse_hidden(request.what, found, request.columns, request.exclude_columns)
    with problems.collect():
        withheld.refuse(request.what, found, [*data, *hidden])
    with problems.collect():
        _refuse_unknown(request, [*data, *request.exclude_columns, *hidden], available, found)
    with problems.collect():
        _refuse_types(request, [*data, *hidden], found)
    problems.raise_found()
    return data, key


def _hidden(request: ColumnRequest, key: Sequence[str]) -> list[str]:
    """Return the columns that are read whether or not `data` holds them."""
    window = [] if request.window_column is None else [request.window_column]
    return [*request.watermark_columns, *key, *request.message_columns, *window]


def _default_key(request: ColumnRequest, found: Reflection, known: dict[str, Column]) -> tuple[str, ...]:
    if found.primary_key:  # SQLite allows NULL in one; such rows are looked for before the first read
        return found.primary_key
    for candidate in found.unique:
        if all(name in known and not known[name].nullable for name in candidate):
            return candidate
    withheld.refuse_hidden_key(request.what, found)
    raise ConfigurationError(
        f"{request.what} has no primary key and no unique index over columns that are NOT NULL, so rows with equal"
        " watermarks can't be distinguished; nothing was read.\nName the columns that identify a row with"
        " key_columns=[...]; where no columns do, send messages without a key with key_columns=[]"
    )


def _refuse_unknown(request: ColumnRequest, names: Sequence[str], available: Sequence[str], found: Reflection) -> None:
    missing = [name for name in dict.fromkeys(names) if name not in available]
    if missing and not found.withheld.hides:
        raise ConfigurationError(
            f"{request.what} has no column {', '.join(map(repr, missing))}; it has {', '.join(map(repr, available))}."
            " Nothing was read; correct watermark_columns, key_columns, columns, exclude_columns, time_column, or the"
            " columns that templates and timestamp_column name"
        )


def _refuse_types(request: ColumnRequest, names: Sequence[str], found: Reflection) -> None:
    refused = {name: found.refused[name] for name in names if name in found.refused}
    if refused:
        first = next(iter(refused))
        raise ConfigurationError(
            f"{request.what} has columns of types that can't be carried:"
            f" {', '.join(f'{name!r} ({type_})' for name, type_ in refused.items())}; nothing was read. Leave them out"
            f" with exclude_columns=[...], or read them as text with sql= and CAST({first} AS text) AS {first} (AS CHAR"
            " in MySQL and MariaDB)"
        )


def _never_changes(request: ColumnRequest, known: dict[str, Column], found: Reflection) -> bool:
    """Whether rows never change: there is one integer watermark column, and the database guarantees it unique."""
    if len(request.watermark_columns) != 1 or known[request.watermark_columns[0]].kind is not Kind.INTEGER:
        return False
    if found.state.proves_keys and request.watermark_columns not in found.state.distinct:
        return False
    return request.watermark_columns == found.primary_key or (
        request.watermark_columns in found.unique and not known[request.watermark_columns[0]].nullable
    )
