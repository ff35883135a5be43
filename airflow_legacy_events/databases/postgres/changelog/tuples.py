"""Decoders of pgoutput's tuples, generated for the columns of one relation.

No name enters the generated code, only numbers. A value is `t`, four bytes of length and its text; `n` is NULL; `u` is
an unchanged value that was stored out of line and is not in the log. A tuple of ASCII alone is decoded once as a whole
and cut; that takes about half the time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cached_property
from struct import Struct
from typing import Any, TypeAlias

from airflow_legacy_events.core.columns import ABSENT

Values: TypeAlias = tuple[Any, ...]
ReadRow: TypeAlias = Callable[[bytes, int, str, int, str], Values]
ReadValues: TypeAlias = Callable[[bytes, int], tuple[Values, int]]

_HEAD = Struct(">BI").unpack_from
_NULL, _UNCHANGED = b"nu"
_TEXT = 116  # t
_DECODED = "m[n:at].decode()"


class Tuples:
    """Decoders of one relation's tuples.

    Args:
        count: number of the relation's columns.
        order: positions in the relation of the columns to return, in their order.
        names: of the columns to return.
    """

    def __init__(self, count: int, order: Sequence[int], names: Sequence[str]) -> None:
        self._count, self._order, self._names = count, order, tuple(names)

    def row(self, body: bytes, place: str, number: int, time: str) -> Values:
        """Return a new row: its values, then those of `HIDDEN`.

        Args:
            body: from the first value on, with padding behind it.
            place: hidden.
            number: hidden.
            time: hidden.

        Raises:
            UnicodeDecodeError: a text is not UTF-8.
        """
        return (self._ascii_row if body.isascii() else self._any_row)(body, 0, place, number, time)

    def rows(self, messages: Sequence[bytes], begin: int, place: str, number: int, time: str) -> list[Values]:
        """Return the rows of messages that follow each other, up to one that is not UTF-8; see `row`.

        Args:
            messages: whose tuples begin at the same place.
            begin: that place.
            place: hidden.
            number: hidden, of the first one.
            time: hidden.
        """
        ascii_row, any_row, found = self._ascii_row, self._any_row, list[Values]()
        try:
            for at, message in enumerate(messages, number):
                body = message[begin:]
                found.append((ascii_row if body.isascii() else any_row)(body, 0, place, at, time))
        except UnicodeDecodeError:
            pass
        return found

    def values(self, body: bytes, at: int) -> tuple[Values, int]:
        """Return the values of an old tuple, `ABSENT` where it has none, and where it ends.

        Args:
            body: with padding behind it.
            at: where its first value begins.

        Raises:
            UnicodeDecodeError: a text is not UTF-8.
        """
        return self._any_values(body, at)

    def new(self, body: bytes, at: int, place: str, number: int, time: str) -> Values:
        """Return a new row that follows an old tuple; see `row`."""
        return self._any_row(body, at, place, number, time)

    def unchanged(self, values: Sequence[Any]) -> str | None:
        """Return the names of absent columns as a JSON array; None if there are none."""
        absent = [name for name, value in zip(self._names, values, strict=False) if value is ABSENT]
        return json.dumps(absent, ensure_ascii=False, separators=(",", ":")) if absent else None

    @cached_property
    def _ascii_row(self) -> ReadRow:
        return self._compiled("place, number, time", "s[n:at]", ['s = str(m, "ascii")'], self._row)

    @cached_property
    def _any_row(self) -> ReadRow:
        return self._compiled("place, number, time", _DECODED, [], self._row)

    @cached_property
    def _any_values(self) -> ReadValues:
        names = "".join(f"v{at}, " for at in self._order)
        return self._compiled("", _DECODED, [], [f"return ({names}), at"])

    @property
    def _row(self) -> list[str]:
        names = "".join(f"v{at}, " for at in self._order)
        return [
            "if gone:",
            f"    return ({names}place, number, time, unchanged(({names})))",
            f"return ({names}place, number, time, None)",
        ]

    def _compiled(self, parameters: str, text: str, first: list[str], last: list[str]) -> Callable[..., Any]:
        wanted = set(self._order)
        lines = [f"def read(m, at, {parameters}):", "gone = False", *first]
        for at in range(self._count):
            lines += _value(f"v{at}", text, kept=at in wanted)
        names: dict[str, Any] = {"head": _HEAD, "ABSENT": ABSENT, "unchanged": self.unchanged}
        exec(compile("\n    ".join([*lines, *last]), "<tuple>", "exec"), names)  # noqa: S102  see the module's text
        read: Callable[..., Any] = names["read"]
        return read


def _value(name: str, text: str, *, kept: bool) -> list[str]:
    """Return the code that reads one value at `at`, and moves `at` behind it."""
    return [
        "kind, size = head(m, at)",
        f"if kind == {_TEXT}:",
        "    n = at + 5",
        "    at = n + size",
        *([f"    {name} = {text}"] if kept else []),
        "else:",
        "    at += 1",
        *([f"    {name} = None if kind == {_NULL} else ABSENT"] if kept else []),
        *([f"    gone = gone or kind == {_UNCHANGED}"] if kept else []),
    ]
