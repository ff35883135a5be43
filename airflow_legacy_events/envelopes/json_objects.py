"""JSON objects with the same members in every row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring as quoted

from airflow_legacy_events.envelopes.json_column import Forms


def template(names: Sequence[str]) -> str:
    """Return the text of an object with `%s` for each member's JSON."""
    return "{" + ",".join(f"{quoted(name)}:".replace("%", "%%") + "%s" for name in names) + "}"


class Image:
    """A row as an object.

    Args:
        names: of its members.
        places: of their columns in the shape.
    """

    def __init__(self, names: Sequence[str], places: Sequence[int]) -> None:
        self._template, self._places = template(names), places

    def texts(self, forms: Mapping[int, Sequence[str]]) -> list[str]:
        """Return the object of each row, from the forms of its columns by place."""
        return [self._template % row for row in zip(*(forms[at] for at in self._places), strict=True)]

    def whole(self, forms: Mapping[int, Forms]) -> list[bool]:
        """Return for each row whether it has a value in every column."""
        return [None not in row for row in zip(*(forms[at] for at in self._places), strict=True)]
