"""Generates the functions that read row images.

Each is called with the event's body, its text in latin-1, where the first image begins, where the last one ends, and
what adds a row; it returns where the next image begins.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeAlias

from airflow_legacy_events.databases.mysql.changelog.model import Row
from airflow_legacy_events.databases.mysql.changelog.values.memo import D1, D2, D3
from airflow_legacy_events.databases.mysql.changelog.values.moments import COMMON
from airflow_legacy_events.databases.mysql.changelog.values.piece import Piece
from airflow_legacy_events.databases.mysql.changelog.values.run import Run, indented

Read: TypeAlias = Callable[[bytes, str, int, int, Callable[[Row], None]], int]

_NAMES: dict[str, Any] = {"D1": D1, "D2": D2, "D3": D3, **COMMON}


def for_nulls(pieces: Sequence[Piece], kept: Sequence[int], nulls: bytes) -> Read:
    """Return the function that reads images as long as their columns with NULL are those of `nulls`.

    Args:
        pieces: of all columns.
        kept: places of the columns whose values are part of rows.
        nulls: bits of the columns that are NULL.
    """
    names = {**_names(pieces), "nulls": nulls}
    lines = [*_image(pieces, kept, nulls, names), f"if at >= end or {_other(nulls)}: return at"]
    return _compiled(["while True:", *indented(lines)], names)


def for_updates(pieces: Sequence[Piece], kept: Sequence[int], old: Collection[int], nulls: bytes, one: Read) -> Read:
    """Return the function that reads old and new images in turn, while both have NULL in the columns of `nulls`.

    Args:
        pieces: of all columns.
        kept: places of the columns whose values are part of rows.
        old: places of those of them that are read of old images; others are None.
        nulls: bits of the columns that are NULL in old images.
        one: reads one image, whichever columns of it are NULL.
    """
    names = {**_names(pieces), "nulls": nulls, "one": one}
    lighter = [piece if place in old else piece.passed_over for place, piece in enumerate(pieces)]
    lines = [
        *_image(lighter, kept, nulls, names, old),
        f"if {_other(nulls)}:",
        "    at = one(m, s, at, end, add)",
        "else:",
        *indented(_image(pieces, kept, nulls, names)),
        f"if at >= end or {_other(nulls)}: return at",
    ]
    return _compiled(["while True:", *indented(lines)], names)


def for_any(pieces: Sequence[Piece], kept: Sequence[int], size: int) -> Read:
    """Return the function that reads one image, whichever columns of it are NULL; see `for_nulls`.

    Args:
        pieces: of all columns.
        kept: places of the columns whose values are part of rows.
        size: bytes of the bits of NULL.
    """
    names = _names(pieces)
    lines = [f"nulls = int.from_bytes(m[at:at + {size}], 'little')", f"at += {size}"]
    for place, piece in enumerate(pieces):
        run = Run(names)
        lines += [f"if nulls & {1 << place}:", f"    v{place} = None", "else:"]
        lines += indented([*run.add(place, piece), *run.end()])
    values = "".join(f"v{place}, " for place in kept)
    return _compiled([*lines, f"add(({values}))", "return at"], names)


def _image(
    pieces: Sequence[Piece],
    kept: Sequence[int],
    nulls: bytes,
    names: dict[str, Any],
    wanted: Collection[int] | None = None,
) -> list[str]:
    """Return the code that reads one image with NULL in known columns, and adds its row."""
    bits = int.from_bytes(nulls, "little")
    run = Run(names)
    lines = [f"at += {len(nulls)}"]
    for place, piece in enumerate(pieces):
        if not bits >> place & 1:
            lines += run.add(place, piece)
    there = [not bits >> place & 1 and (wanted is None or place in wanted) for place in kept]
    values = "".join(f"v{place}, " if is_there else "None, " for place, is_there in zip(kept, there, strict=True))
    return [*lines, *run.end(), f"add(({values}))"]


def _other(nulls: bytes) -> str:
    """Return the condition that the next image has NULL in other columns."""
    return f"m[at:at + {len(nulls)}] != nulls"


def _names(pieces: Sequence[Piece]) -> dict[str, Any]:
    """Return what the code of all pieces uses: names that end in `$k` there are a column's own."""
    found = dict(_NAMES)
    for place, piece in enumerate(pieces):
        for name, value in piece.names.items():
            own = any(f"{name}$k" in line for line in piece.lines)
            found[f"{name}{place}" if own else name] = value
    return found


def _compiled(lines: Sequence[str], names: dict[str, Any]) -> Read:
    code = "\n".join(["def read(m, s, at, end, add):", *indented(lines)])
    exec(compile(code, "<images>", "exec"), names)  # noqa: S102  see the text of `rows`
    read: Read = names["read"]
    return read
