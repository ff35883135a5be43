"""Checks of a sink's arguments; each yields a sentence for everything that is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from string import Formatter
from typing import Any

from airflow_legacy_events.core.zones import zone_named

PLACEHOLDERS = ("topic", "name", "database", "schema", "source_table")
METADATA = ("topic", "partition", "offset", "timestamp", "key", "event_id", "event_time", "op")
HEADER = "header."
UNITS = ("ms", "us", "ns")

_SMALLEST = 1024


def by_name(given: Sequence[str] | Mapping[str, str] | None) -> Mapping[str, str]:
    """Return a mapping, also of a list whose names stand for themselves."""
    if given is None:
        return {}
    return dict(given) if isinstance(given, Mapping) else {one: one for one in given}


def placeholders(table: str) -> tuple[str, ...]:
    """Return the names in braces of a template.

    Raises:
        ValueError: a brace is unmatched, or holds something other than a name.
    """
    found = []
    for _, field, spec, conversion in Formatter().parse(table):
        if field is not None:
            if spec or conversion or field not in PLACEHOLDERS:
                raise ValueError(field)
            found.append(field)
    return tuple(found)


def choice(name: str, value: Any, known: Sequence[Any]) -> Iterator[str]:
    """Require one of the known words."""
    if value not in known:
        yield f"{name}= must be one of {', '.join(map(repr, known))}; found {value!r}"


def tables(table: Any, allowed: Any) -> Iterator[str]:
    """Require a table, and the allowed ones of a template."""
    yield from names("allowed_tables", allowed)
    if not isinstance(table, str) or not table:
        yield f"table= must be the name of a table, or a template; found {table!r}"
        return
    try:
        found = placeholders(table)
    except ValueError:
        yield f"table={table!r} is no valid template: in braces it may have {', '.join(PLACEHOLDERS)}"
        return
    if found and not allowed:
        yield f"table={table!r} is a template: name the tables that it may stand for, with allowed_tables=[…]"
    if not found and allowed is not None:
        yield f"allowed_tables= has an effect only if table= is a template; {table!r} is none"


def names(name: str, value: Any) -> Iterator[str]:
    """Require a list of names, or None."""
    if value is None:
        return
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Sequence) or not all(map(_is_name, value)):
        yield f"{name}= must be a list of names, such as ['id']; found {value!r}"
    elif not value:
        yield f"{name}= is empty; leave it out, or name at least one"
    elif repeated := [one for one, count in Counter(value).items() if count > 1]:
        yield f"{name}= names {', '.join(map(repr, repeated))} more than once"


def name(what: str, value: Any) -> Iterator[str]:
    """Require a name, or None."""
    if value is not None and not _is_name(value):
        yield f"{what}= must be the name of a column; found {value!r}"


def mapping(what: str, value: Any) -> Iterator[str]:
    """Require a list of names or a mapping between names, or None."""
    if not isinstance(value, Mapping):
        yield from names(what, value)
    elif not value or not all(_is_name(one) for pair in value.items() for one in pair):
        yield f"{what}= must be a list of names or a mapping such as {{'field': 'column'}}; found {value!r}"


def metadata(value: Any) -> Iterator[str]:
    """Require that all names of metadata are known."""
    if value is None or isinstance(value, (str, bytes)) or not isinstance(value, (Mapping, Sequence)):
        return
    unknown = [one for one in value if isinstance(one, str) and one not in METADATA and not _is_header(one)]
    if unknown:
        known = ", ".join((*METADATA, f"{HEADER}<name>"))
        yield f"metadata_columns= has {', '.join(map(repr, unknown))}; known are {known}"


def types(value: Any) -> Iterator[str]:
    """Require types by column, or None."""
    if value is None:
        return
    if not isinstance(value, Mapping) or not value or not all(_is_name(one) for pair in value.items() for one in pair):
        yield f"column_types= must be types by column, such as {{'amount': 'numeric(10,2)'}}; found {value!r}"


def units(unit: Any, scales: Any, *, schemaless: bool) -> Iterator[str]:
    """Require units of times and scales of decimals, and an envelope that may need them."""
    each = unit.values() if isinstance(unit, Mapping) else [unit]
    if unit is not None and (not each or any(one not in UNITS for one in each)):
        known = ", ".join(map(repr, UNITS))
        yield f"epoch_unit= must be one of {known}, or a mapping of columns to them; found {unit!r}"
    if scales is not None and (
        not isinstance(scales, Mapping)
        or not scales
        or not all(_is_name(one) and (scale is None or _is_whole(scale)) for one, scale in scales.items())
    ):
        yield f"decimal_scales= must be digits behind the point by column, such as {{'amount': 2}}; found {scales!r}"
    if not schemaless:
        for what, value in (("epoch_unit", unit), ("decimal_scales", scales)):
            if value is not None:
                yield f"{what}= has an effect only with envelope='debezium' or 'plain'; leave it out"


def zone(value: Any) -> Iterator[str]:
    """Require a time zone."""
    try:
        zone_named(value)
    except ValueError:
        yield (
            "target_timezone= must be the name of a time zone such as 'Europe/Vienna', or an offset such as '+05:30';"
            f" found {value!r}"
        )


def size(value: Any) -> Iterator[str]:
    """Require a number of bytes that can hold a message."""
    if not _is_whole(value) or value < _SMALLEST:
        yield f"max_row_bytes= must be a whole number of bytes, {_SMALLEST} or more; found {value!r}"


def clashes(columns: Any, metadata_columns: Any, deleted_column: Any) -> Iterator[str]:
    """Refuse a column that two arguments would write."""
    writers: dict[str, list[str]] = {}
    for what, value in (("columns", columns), ("metadata_columns", metadata_columns)):
        found = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
        for column in filter(_is_name, found):
            writers.setdefault(column, []).append(what)
    if isinstance(deleted_column, str):
        writers.setdefault(deleted_column, []).append("deleted_column")
    for column, by in writers.items():
        if len(by) > 1:
            yield f"column {column!r} is written more than once: by {' and '.join(f'{one}=' for one in by)}"


def _is_header(given: str) -> bool:
    return given.startswith(HEADER) and len(given) > len(HEADER)


def _is_name(given: Any) -> bool:
    return isinstance(given, str) and bool(given)


def _is_whole(given: Any) -> bool:
    return isinstance(given, int) and not isinstance(given, bool)
