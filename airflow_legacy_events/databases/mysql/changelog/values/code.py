"""Generates the functions that read row images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from string import Template
from struct import Struct, calcsize
from typing import Any

from airflow_legacy_events.databases.mysql.changelog.values.memo import D1, D2, D3
from airflow_legacy_events.databases.mysql.changelog.values.moments import COMMON
from airflow_legacy_events.databases.mysql.changelog.values.piece import Piece

_NAMES: dict[str, Any] = {"D1": D1, "D2": D2, "D3": D3, **COMMON}
_PARAMETERS = "m, s, at, end, add"


def for_nulls(pieces: Sequence[Piece], kept: Sequence[int], nulls: bytes) -> Callable[..., int]:
    """Return the function that reads images as long as their columns with NULL are those of `nulls`.

    It is called with the event's body, its text in latin-1, where the first image begins, where the last one ends, and
    what adds a row; it returns where the next image begins.

    Args:
        pieces: of all columns.
        kept: places of the columns whose values are part of rows.
        nulls: bits of the columns that are NULL.
    """
    bits = int.from_bytes(nulls, "little")
    names = _names(pieces)
    run = _Run(names)
    lines = ["while True:", f"    at += {len(nulls)}"]
    for place, piece in enumerate(pieces):
        if not bits >> place & 1:
            lines += _indented(run.add(place, piece))
    lines += _indented(run.end())
    values = "".join("None, " if bits >> place & 1 else f"v{place}, " for place in kept)
    same = f"m[at] != {nulls[0]}" if len(nulls) == 1 else f"m[at:at + {len(nulls)}] != nulls"
    lines += [f"    add(({values}))", f"    if at >= end or {same}: return at"]
    return _compiled(lines, {**names, "nulls": nulls})


def for_any(pieces: Sequence[Piece], kept: Sequence[int], size: int) -> Callable[..., int]:
    """Return the function that reads one image, whichever columns of it are NULL; see `for_nulls`.

    Args:
        pieces: of all columns.
        kept: places of the columns whose values are part of rows.
        size: bytes of the bits of NULL.
    """
    names = _names(pieces)
    lines = [f"nulls = int.from_bytes(m[at:at + {size}], 'little')", f"at += {size}"]
    for place, piece in enumerate(pieces):
        run = _Run(names)
        lines += [f"if nulls & {1 << place}:", f"    v{place} = None", "else:"]
        lines += _indented([*run.add(place, piece), *run.end()])
    values = "".join(f"v{place}, " for place in kept)
    return _compiled([*lines, f"add(({values}))", "return at"], names)


def _names(pieces: Sequence[Piece]) -> dict[str, Any]:
    """Return what the code of all pieces uses: names that end in `$k` there are a column's own."""
    found = dict(_NAMES)
    for place, piece in enumerate(pieces):
        for name, value in piece.names.items():
            own = any(f"{name}$k" in line for line in piece.lines)
            found[f"{name}{place}" if own else name] = value
    return found


def _indented(lines: Sequence[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)


def _compiled(lines: Sequence[str], names: dict[str, Any]) -> Callable[..., int]:
    code = "\n".join([f"def read({_PARAMETERS}):", *_indented(lines)])
    exec(compile(code, "<images>", "exec"), names)  # noqa: S102  see the text of `rows`
    read: Callable[..., int] = names["read"]
    return read


class _Run:
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
        size, later = self._size, self._later
        self._later = []
        return [*self._unpacked(), *later, f"at += {size}"] if size else []

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
