"""Code for values of a fixed size that follow each other: they are read at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from string import Template
from struct import Struct, calcsize
from typing import Any

from airflow_legacy_events.databases.mysql.changelog.values.piece import Piece


class Run:
    """Values of a fixed size that follow each other.

    Args:
        names: of the code; what reads a run is added to them.
    """

    def __init__(self, names: dict[str, Any]) -> None:
        self._names = names
        self._order, self._codes, self._variables = "", list[str](), list[str]()
        self._later: list[str] = []

    def add(self, place: int, piece: Piece) -> list[str]:
        """Return the code for a value, as far as it can't wait for more of its run."""
        lines = []
        if self._order and piece.order and self._order != piece.order:
            lines = self.end()
        self._order = self._order or piece.order
        if not piece.lines and piece.length is None:
            self._codes.append(f"{calcsize('=' + ''.join(piece.codes))}x")
            return lines
        letters = [chr(ord("a") + at) for at in range(len(piece.codes))]
        raw = {letter: f"{letter}{place}" for letter in letters}
        self._codes += piece.codes
        self._variables += raw.values()
        made = [Template(line).substitute(raw, v=f"v{place}", k=str(place)) for line in piece.lines]
        if piece.length is None:
            self._later += made
            return lines
        size, later = self._size, self._later
        self._later = []
        begin = [f"n = at + {size}", f"at = n + ({Template(piece.length).substitute(raw)})"]
        return [*lines, *self._unpacked(), *later, *begin, *made]

    def end(self) -> list[str]:
        """Return the code for the values that waited."""
        if not self._codes:
            return []
        size, later = self._size, self._later
        self._later = []
        return [*self._unpacked(), *later, f"at += {size}"]

    @property
    def _size(self) -> int:
        return calcsize("=" + "".join(self._codes))

    def _unpacked(self) -> list[str]:
        """Return the code that reads the numbers of the run."""
        layout, variables = (self._order or "<") + "".join(self._codes), self._variables
        self._order, self._codes, self._variables = "", [], []
        if not variables:
            return []
        if layout == "<B":
            return [f"{variables[0]} = m[at]"]
        name = f"u{len(self._names)}"
        self._names[name] = Struct(layout).unpack_from
        return [f"{', '.join(variables)}, = {name}(m, at)"]


def indented(lines: Sequence[str]) -> Iterator[str]:
    """Return lines of code, one level deeper."""
    return (f"    {line}" for line in lines)
