"""What the reader of a column's values is made of: a layout in bytes, and lines of code."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

_NONE: Mapping[str, Any] = MappingProxyType({})


class Piece(NamedTuple):
    """Code that reads the values of a column, as templates of `string.Template`.

    In them, `$a`, `$b` and so on are the numbers of `codes`, `$v` is the variable for the value, and `$k` is the suffix
    of the column's own `names`. Of a value with a length, `m[n:at]` are its bytes, and `s[n:at]` is its text if that
    is ASCII.

    Attributes:
        codes: of `struct`, of all that has a fixed size: a number, or the length that begins a value.
        order: of the codes' bytes: `<` or `>`; empty if it does not matter.
        lines: statements that make the value.
        length: expression for the bytes that follow; None if none do.
        names: that the lines use, beside the common ones.
        block: character set whose texts are converted a block at a time: the value is bytes until then.
    """

    codes: tuple[str, ...]
    order: str
    lines: tuple[str, ...]
    length: str | None = None
    names: Mapping[str, Any] = _NONE
    block: str | None = None

    @property
    def passed_over(self) -> Piece:
        """The code that reads no value, but knows where the next one begins."""
        return self._replace(lines=(), block=None)
