"""Optional metadata of TABLE_MAP (`binlog_row_metadata`): signs, collations, names, labels, keys.

Fields follow each other: a type byte, a length-encoded size, the value. MySQL 8.0 and MariaDB 10.5 and later write
signs, collations and geometry types with MINIMAL, the rest with FULL; MariaDB writes nothing with NO_LOG, and older
servers never. Source: `Table_map_event::Optional_metadata_field_type` of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from airflow_legacy_events.databases.mysql.changelog.binlog import column_types as types
from airflow_legacy_events.databases.mysql.changelog.binlog.bytes import Bytes

SIGNS, DEFAULT_COLLATION, COLLATIONS, NAMES, SET_LABELS, ENUM_LABELS = range(1, 7)
GEOMETRIES, KEY, KEY_WITH_PREFIXES, LABELS_DEFAULT_COLLATION, LABELS_COLLATIONS = range(7, 12)

_One = TypeVar("_One")
_GEOMETRY = frozenset({types.GEOMETRY})


class Optional(NamedTuple):
    """Optional metadata, as in `TableMap`."""

    unsigned: tuple[bool, ...] | None
    collations: tuple[int | None, ...] | None
    names: tuple[str, ...] | None
    labels: tuple[tuple[bytes, ...] | None, ...] | None
    primary_key: tuple[int, ...] | None
    geometries: tuple[int | None, ...] | None


def optional(data: Bytes, codes: Sequence[int], *, mariadb: bool) -> Optional:
    """Return the optional metadata that fill the rest of a TABLE_MAP; unknown fields are left out.

    Args:
        data: behind the bits for NULL.
        codes: real types of the columns: ENUM, SET and STRING differ.
        mariadb: whether MariaDB wrote them.

    Raises:
        ValueError: they are damaged, or do not fit the columns.
    """
    fields: dict[int, Bytes] = {}
    while data.left:
        kind = data.number(1)
        fields[kind] = Bytes(data.take(data.packed()))
    texts = types.CHARACTER | _GEOMETRY if mariadb else types.CHARACTER
    names = _names(fields.get(NAMES), len(codes))
    return Optional(
        _unsigned(fields.get(SIGNS), codes),
        _collations(fields, codes, texts),
        names,
        _labels(fields, codes),
        None if names is None else _key(fields, len(codes)),
        _spread(_numbers(fields.get(GEOMETRIES)), codes, _GEOMETRY),
    )


def _unsigned(data: Bytes | None, codes: Sequence[int]) -> tuple[bool, ...] | None:
    """Return the signs: a bit for each numeric column, the highest of each byte first."""
    if data is None:
        return None
    count = sum(code in types.NUMERIC for code in codes)
    bits = "".join(f"{byte:08b}" for byte in data.rest())
    if len(bits) != (count + 7) // 8 * 8:
        raise ValueError("the signs of a table map do not fit its columns")
    found = iter(bits)
    return tuple(code in types.NUMERIC and next(found) == "1" for code in codes)


def _collations(fields: dict[int, Bytes], codes: Sequence[int], texts: frozenset[int]) -> tuple[int | None, ...] | None:
    """Return the collation of each text or label column."""
    plain = _collation_of(fields.get(DEFAULT_COLLATION), fields.get(COLLATIONS), codes, texts)
    labels = _collation_of(fields.get(LABELS_DEFAULT_COLLATION), fields.get(LABELS_COLLATIONS), codes, types.LABELS)
    if plain is None or labels is None:
        return plain or labels
    return tuple(one if other is None else other for one, other in zip(plain, labels, strict=True))


def _collation_of(
    default: Bytes | None, each: Bytes | None, codes: Sequence[int], kinds: frozenset[int]
) -> tuple[int | None, ...] | None:
    """Return collations that are a default with exceptions by place among these columns, or a list."""
    if default is None:
        return _spread(_numbers(each), codes, kinds)
    found = [default.packed()] * sum(code in kinds for code in codes)
    while default.left:
        place, number = default.packed(), default.packed()
        if place >= len(found):
            raise ValueError("the collations of a table map do not fit its columns")
        found[place] = number
    return _spread(found, codes, kinds)


def _names(data: Bytes | None, width: int) -> tuple[str, ...] | None:
    """Return the names of the columns."""
    if data is None:
        return None
    found = tuple(data.text() for _ in range(width))
    if data.left:
        raise ValueError("the names of a table map are more than its columns")
    return found


def _labels(fields: dict[int, Bytes], codes: Sequence[int]) -> tuple[tuple[bytes, ...] | None, ...] | None:
    """Return the labels of ENUM and SET columns."""
    if not fields.keys() & {ENUM_LABELS, SET_LABELS}:
        return None
    enums = _spread(_label_lists(fields.get(ENUM_LABELS)), codes, frozenset({types.ENUM}))
    sets = _spread(_label_lists(fields.get(SET_LABELS)), codes, frozenset({types.SET}))
    nothing = (None,) * len(codes)
    return tuple(one or other for one, other in zip(enums or nothing, sets or nothing, strict=True))


def _label_lists(data: Bytes | None) -> list[tuple[bytes, ...]] | None:
    """Return lists of labels, each behind its number of labels."""
    if data is None:
        return None
    found = []
    while data.left:
        count = data.packed()
        if count > data.left:
            raise ValueError("the labels of a table map are cut off")
        found.append(tuple(data.take(data.packed()) for _ in range(count)))
    return found


def _key(fields: dict[int, Bytes], width: int) -> tuple[int, ...]:
    """Return the places of the primary key's columns, none if the table has no primary key."""
    prefixed = _numbers(fields.get(KEY_WITH_PREFIXES)) or []
    found = tuple(_numbers(fields.get(KEY)) or prefixed[::2])
    if any(place >= width for place in found):
        raise ValueError("the primary key of a table map names a column that the table does not have")
    return found


def _numbers(data: Bytes | None) -> list[int] | None:
    """Return the length-encoded numbers of a field."""
    if data is None:
        return None
    found = []
    while data.left:
        found.append(data.packed())
    return found


def _spread(
    values: Iterable[_One] | None, codes: Sequence[int], kinds: frozenset[int]
) -> tuple[_One | None, ...] | None:
    """Return values of some columns at the places of these columns, None at others."""
    if values is None:
        return None
    given = tuple(values)
    if len(given) != sum(code in kinds for code in codes):
        raise ValueError("the optional metadata of a table map do not fit its columns")
    left = iter(given)
    return tuple(next(left) if code in kinds else None for code in codes)
