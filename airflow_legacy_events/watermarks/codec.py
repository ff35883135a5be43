"""Watermark JSON: one deterministic text, readable and editable by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.foreign_json import read_json
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks.emptiness import contradiction

VERSION = 1


class DamagedWatermarkError(WatermarkError):
    """The stored text is not a watermark: somebody edited it, or a later version of this package wrote it."""


def encode(mark: Watermark) -> str:
    """Return the text of `mark`; equal watermarks have equal texts.

    Each value is stored with its column's name and database type, as listed in `facts["columns"]`; both are null if
    that list is missing or shorter.
    """
    values = None if mark.values is None else typed(mark.values, mark.facts.get("columns"))
    content = {"version": VERSION, "values": values, "receipt": mark.receipt, "facts": mark.facts}
    return json.dumps(content, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def decode(text: str, *, stream: str, place: str) -> Watermark:
    """Return the watermark in `text`.

    Args:
        text: from `encode`, maybe edited by a person.
        stream: for the error.
        place: where the text was found, for the error.

    Raises:
        DamagedWatermarkError: it is not a watermark of a known version; the error holds none of its values.
    """
    try:
        content = read_json(text)
    except ValueError:
        raise _unreadable(stream, place, f"a text of {len(text)} characters that is not JSON") from None
    if not isinstance(content, dict):
        raise _unreadable(stream, place, f"JSON of type {type(content).__name__}, not an object")
    if type(content.get("version")) is not int or content["version"] != VERSION:
        raise _unreadable(stream, place, f"version {content.get('version')!r}, known here is {VERSION}")
    if "values" not in content:
        raise _unreadable(stream, place, "no values; a stream that has delivered nothing has null there")
    found = Watermark(
        _values(content["values"], stream, place),
        _receipt(content.get("receipt"), stream, place),
        _facts(content.get("facts"), stream, place),
    )
    if why := contradiction(found):
        raise _unreadable(stream, place, why)
    return found


def typed(values: Sequence[str], columns: object) -> list[dict[str, Any]]:
    """Return the values with the names and types of their columns; None where `columns` does not list them."""
    listed = columns if isinstance(columns, list) else []
    named = [one if isinstance(one, list) and len(one) == len(("name", "type")) else (None, None) for one in listed]
    pairs = zip_longest(values, named[: len(values)], fillvalue=(None, None))
    return [{"column": column[0], "type": column[1], "text": value} for value, column in pairs]


def _values(found: object, stream: str, place: str) -> tuple[str, ...] | None:
    if found is None:
        return None
    if not isinstance(found, list):
        raise _unreadable(stream, place, "values that are neither a list nor null")
    texts = [one.get("text") if isinstance(one, dict) else None for one in found]
    for at, text in enumerate(texts):
        if not isinstance(text, str):
            raise _unreadable(stream, place, f"a value without a text, the number {at + 1} of {len(texts)}")
    return tuple(str(text) for text in texts)


def _receipt(found: object, stream: str, place: str) -> tuple[Any, ...] | None:
    if found is None or isinstance(found, list):
        return None if found is None else tuple(found)
    raise _unreadable(stream, place, "a receipt that is neither a list nor null")


def _facts(found: object, stream: str, place: str) -> Mapping[str, Any]:
    if isinstance(found, dict):
        return found
    raise _unreadable(stream, place, "facts that are not an object")


def _unreadable(stream: str, place: str, found: str) -> DamagedWatermarkError:
    return DamagedWatermarkError(
        f"the watermark of stream {stream!r} in {place} can't be understood: found {found}. Restore it, write it again"
        f" with {command('set', stream, 'VALUE...')}, or start over with {command('forget', stream)}"
    )
