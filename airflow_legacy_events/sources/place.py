"""Positions in the order of rows: the start of a page, and the rows found above it."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

Values: TypeAlias = tuple[str, ...]


class Start(NamedTuple):
    """Lower bound of a page: exclusive, or inclusive if `included`; `()` is before all rows.

    Attributes:
        values: of the position columns, or of the first few of them.
        included: whether rows at `values` belong to it.
        tied: number of leading values that rows must share; `page` lowers it one by one while it finds none.
    """

    values: Values
    included: bool = False
    tied: int = 0


class Found(NamedTuple):
    """Rows of a page, and the start above which they were found: the page's own, or one with fewer ties."""

    rows: list[tuple[Any, ...]]
    start: Start
