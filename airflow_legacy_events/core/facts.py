"""Facts of a watermark: their form is checked, since a person may have edited them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError

Form: TypeAlias = tuple[Callable[[Any], bool], str]
"""Check of a fact's form, and the description of that form for the error."""


def check_facts(stream: str, facts: Mapping[str, Any], forms: Mapping[str, Form]) -> None:
    """Check that each fact has the expected form; a fact that is missing or null is skipped.

    Args:
        stream: whose watermark it is.
        facts: of the watermark.
        forms: of the facts that the source reads, by name.

    Raises:
        WatermarkError: names the stream, the fact and the remedy, never the fact's value.
    """
    for name, (fits, form) in forms.items():
        found = facts.get(name)
        if found is None or fits(found):
            continue
        raise WatermarkError(
            f"the watermark of stream {stream!r} holds a fact {name!r} that can't be understood: found a"
            f" {type(found).__name__}, it must be {form}; nothing was read. Print it with {command('export', stream)},"
            f" correct it, and write it with {command('import', 'FILE', '--replace')}; or start over with"
            f" {command('forget', stream)}"
        )


def is_text(found: Any) -> bool:
    """Whether a fact is a text."""
    return isinstance(found, str)


def are_texts(found: Any) -> bool:
    """Whether a fact is a list of texts."""
    return isinstance(found, list) and all(map(is_text, found))


def rows_of(*kinds: type) -> Callable[[Any], bool]:
    """Return a check that a fact is a list of lists with one value of each kind."""

    def row(found: Any) -> bool:
        return isinstance(found, list) and len(found) == len(kinds) and all(map(isinstance, found, kinds))

    return lambda found: isinstance(found, list) and all(map(row, found))
