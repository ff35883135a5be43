"""Places in the order of a position: where a page begins, and what was found above it."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

Values: TypeAlias = tuple[str, ...]


class Start(NamedTuple):
    """Exclusive lower bound of a page, or inclusive where `included`; `()` is before all rows.

    Attributes:
        values: of the position columns, or of the first of them.
        included: whether rows at `values` are meant too.
        tied: only rows that share so many leading values are meant; `page` drops one after the other where there are
            none.
    """

    values: Values
    included: bool = False
    tied: int = 0


class Found(NamedTuple):
    """Rows of a page, and the start that they were found above: that of the page, or with fewer ties."""

    rows: list[tuple[Any, ...]]
    start: Start
