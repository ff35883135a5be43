"""What the facts of a watermark look like: a person may have edited them, and a later step would stumble over that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError


def check_facts(stream: str, facts: Mapping[str, Any]) -> None:
    """Return when each fact that is read by its parts has them; a fact that is missing or null is none.

    Raises:
        WatermarkError: naming the stream, the fact and the remedy, never what the fact holds.
    """
    for name, (right, wanted) in _KNOWN.items():
        found = facts.get(name)
        if found is None or right(found):
            continue
        raise WatermarkError(
            f"the watermark of stream {stream!r} holds a fact {name!r} that can't be understood: found a"
            f" {type(found).__name__}, it must be {wanted}; nothing was read. Print it with"
            f" {command('export', stream)}, correct it, and write it with {command('import', 'FILE', '--replace')}; or"
            f" begin anew with {command('forget', stream)}"
        )


def _is_text(found: Any) -> bool:
    return isinstance(found, str)


def _are_texts(found: Any) -> bool:
    return isinstance(found, list) and all(map(_is_text, found))


def _rows_of(*kinds: type) -> Callable[[Any], bool]:
    def row(found: Any) -> bool:
        return isinstance(found, list) and len(found) == len(kinds) and all(map(isinstance, found, kinds))

    return lambda found: isinstance(found, list) and all(map(row, found))


def _is_pass(found: Any) -> bool:
    """A load or pass: its number, whether it is done, and where it is if it is not."""
    return (
        isinstance(found, dict)
        and type(found.get("number")) is int
        and found["number"] >= 0
        and isinstance(found.get("done"), bool)
        and _are_texts(found.get("at", []))
    )


def _is_open_pass(found: Any) -> bool:
    return _is_pass(found) and (found["done"] or "at" in found)


_KNOWN: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "columns": (_rows_of(str, str), "a list of pairs of name and type"),
    "shape": (_rows_of(str, str, bool), "a list of names, each with type and whether it may be NULL"),
    "watermark_columns": (_are_texts, "a list of names"),
    "key_columns": (_are_texts, "a list of names"),
    "query": (_is_text, "a text"),
    "table": (_is_text, "a text"),
    "source": (_is_text, "a text"),
    "included": (lambda found: isinstance(found, bool), "true or false"),
    "load": (_is_pass, "an object of number and done"),
    "nulls": (_is_open_pass, "an object of number and done, and at where it is not done"),
}
