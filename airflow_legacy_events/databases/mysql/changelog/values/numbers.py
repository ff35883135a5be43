"""Numbers of the binlog."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from airflow_legacy_events.databases.mysql.changelog.values import floats
from airflow_legacy_events.databases.mysql.changelog.values.piece import Piece

_GROUP = 9
"""Decimal digits that are stored together."""

_BYTES = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)
"""Bytes of so many decimal digits."""

_PARTS = {1: ((8, "B"),), 2: ((16, "H"),), 3: ((8, "B"), (16, "H")), 4: ((32, "I"),)}
_BITS_OF_A_BYTE = 8
_IN_TABLES = (1, 2, 3)
_SCALE = re.compile(r"\([0-9]+, *([0-9]+)\)")
YEARS = ("0", *(str(1900 + number) for number in range(1, 256)))


def integer(size: int, *, unsigned: bool) -> Piece:
    """Return the piece of an integer of so many bytes."""
    if size == 3:  # noqa: PLR2004
        return Piece(("H", "B" if unsigned else "b"), "<", ("$v = f'{$b << 16 | $a}'",))
    code = {1: "b", 2: "h", 4: "i", 8: "q"}[size]
    return Piece((code.upper() if unsigned else code,), "" if size == 1 else "<", ("$v = f'{$a}'",))


def year() -> Piece:
    """Return the piece of a YEAR, which is read as a number."""
    return Piece(("B",), "", ("$v = YEARS[$a]",), names={"YEARS": YEARS})


def single() -> Piece:
    """Return the piece of a FLOAT: digits of the DOUBLE that equals it."""
    return _float("f")


def double(declared: str | None) -> Piece:
    """Return the piece of a DOUBLE; one declared with a scale has all decimals of it."""
    found = _SCALE.search(declared or "")
    if found is None:
        return _float("d")
    scale = int(found[1])
    return Piece(("d",), "<", (f"$v = rounded($a, {scale})",), names={"rounded": floats.rounded})


def _float(code: str) -> Piece:
    lines = (
        "if 1e-4 <= $a < 1e15 or -1e15 < $a <= -1e-4:",
        "    $v = repr($a)",
        "    if $v[-2:] == '.0': $v = $v[:-2]",
        "else:",
        "    $v = digits($a)",
    )
    return Piece((code,), "<", lines, names={"digits": floats.digits})


def bit(metadata: int) -> Piece:
    """Return the piece of a BIT, which is read as its digits."""
    count = metadata & 255
    size = metadata >> 8
    bits = count + _BITS_OF_A_BYTE * size
    return Piece((f"{size + bool(count)}s",), "", (f"$v = f'{{int.from_bytes($a):0{bits}b}}'",))


class _Part(NamedTuple):
    """Digits that are stored together.

    Attributes:
        codes: of `struct`.
        whole: expression for their number, of a value that is not negative.
        negated: the same of a negative one, of which all bits are inverted.
        digits: how many.
    """

    codes: tuple[str, ...]
    whole: str
    negated: str
    digits: int


def decimal(precision: int, scale: int) -> Piece:
    """Return the piece of a DECIMAL, which has all decimals of its scale."""
    before, after = divmod(precision - scale, _GROUP), divmod(scale, _GROUP)
    counts = [*([before[1]] if before[1] else []), *[_GROUP] * before[0]]
    behind = [*[_GROUP] * after[0], *([after[1]] if after[1] else [])]
    parts = list(_parts([*counts, *behind]))
    texts = [_text(parts, len(counts), negative=negative) for negative in (False, True)]
    top = f"0x80{'00' * ({'B': 1, 'H': 2, 'I': 4}[parts[0].codes[0]] - 1)}"
    codes = tuple(code for part in parts for code in part.codes)
    lines = (f"$v = f'{texts[0]}' if $a & {top} else f'-{texts[1]}'",)
    if len(counts) == 2 and len(parts[0].codes) == 1:  # noqa: PLR2004  most numbers are small
        small = _text(parts[1:], 1, negative=False)
        lines = (f"$v = f'{small}' if $a == {top} else f'{texts[0]}' if $a & {top} else f'-{texts[1]}'",)
    return Piece(codes, ">" if codes != ("B",) * len(codes) else "", lines)


def _parts(counts: list[int]) -> Iterator[_Part]:
    name = ord("a")
    for at, count in enumerate(counts):
        whole, negated = [], []
        sizes = _PARTS[_BYTES[count]]
        for index, (bits, _) in enumerate(sizes):
            first = 1 << (bits - 1) if at == index == 0 else 0
            shift = f" << {sizes[1][0]}" if index < len(sizes) - 1 else ""
            variable, every = f"${chr(name)}", (1 << bits) - 1
            name += 1
            whole.append(f"({variable} ^ {first}){shift}" if first else f"{variable}{shift}")
            negated.append(f"({variable} ^ {every ^ first}){shift}")
        yield _Part(tuple(code for _, code in sizes), " | ".join(whole), " | ".join(negated), count)


def _text(parts: list[_Part], before: int, *, negative: bool) -> str:
    """Return what an f-string holds for a value."""
    expressions = [part.negated if negative else part.whole for part in parts]
    whole = "0" if before == 0 else f"({expressions[0]})"
    for expression in expressions[1:before]:
        whole = f"({whole} * 1000000000 + ({expression}))"
    fraction = "".join(map(_padded, expressions[before:], [part.digits for part in parts[before:]]))
    return f"{{{whole}}}.{fraction}" if fraction else f"{{{whole}}}"


def _padded(expression: str, digits: int) -> str:
    return f"{{D{digits}[{expression}]}}" if digits in _IN_TABLES else f"{{{expression}:0{digits}}}"
