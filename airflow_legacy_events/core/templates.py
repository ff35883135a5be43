"""Templates with values of a row: `{column}` is that column's text, `{{` and `}}` are braces.

A column's text is the same as in a message key. If one of the columns is NULL, the whole result is absent.
"""

from __future__ import annotations

from string import Formatter
from typing import NamedTuple, TypeAlias

from airflow_legacy_events.core.errors import ConfigurationError


class Placeholder(NamedTuple):
    """Placeholder for the text of a column."""

    column: str


Template: TypeAlias = tuple[str | Placeholder, ...]


def parse(text: str, what: str) -> Template:
    """Return the literals and placeholders of `text`, in order; no literal is empty.

    Args:
        text: of the template.
        what: names it in the error.

    Raises:
        ConfigurationError: a brace is unmatched, or something other than a name is in braces.
    """
    parts: list[str | Placeholder] = []
    try:
        for literal, name, spec, conversion in Formatter().parse(text):
            if literal:
                parts.append(literal)
            if name is None:
                continue
            parts.append(_placeholder(name, spec, conversion))
    except ValueError as error:
        raise ConfigurationError(
            f"{what} is {text!r}, which is not a valid template: {error}. Write {{column}} for the text of a column,"
            " and {{ or }} for a brace"
        ) from error
    return tuple(parts)


def _placeholder(name: str, spec: str | None, conversion: str | None) -> Placeholder:
    if not name or spec or conversion:
        raise ValueError("only a column's name can stand in braces")
    return Placeholder(name)


def columns_of(*templates: Template) -> tuple[str, ...]:
    """Return the columns named by templates, each once."""
    return tuple(dict.fromkeys(part.column for parts in templates for part in parts if isinstance(part, Placeholder)))
