"""Code of lists of strings, and the variant of the code that a block needs."""

from __future__ import annotations

from typing import NamedTuple


class Variant(NamedTuple):
    """Exceptions from regular blocks that one variant of the code handles.

    Attributes:
        nulls: fields that hold NULL and need a test for it.
        absent: fields that have no value in some row.
        subjects: some row has no subject.
        times: some row has no time.
        unclean: some row's key or watermark holds a character forbidden in an attribute.
        unchanged: some row names columns that did not change.
        op: the one operation of all rows; empty where the code does not depend on it, or it varies.
        ops: whether the operation varies.
    """

    nulls: frozenset[int] = frozenset()
    absent: frozenset[int] = frozenset()
    subjects: bool = False
    times: bool = False
    unclean: bool = False
    unchanged: bool = False
    op: str = ""
    ops: bool = False


class Strings:
    """Builder of the code for a list of strings, one for each row."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._names: dict[str, None] = {}

    def literal(self, text: str) -> None:
        """Add a text that is the same in every row."""
        if text:
            self._parts.append(repr(text))

    def value(self, name: str, expression: str = "{}") -> None:
        """Add a text of the row, from the list `name`."""
        self._names[name] = None
        self._parts.append(f"f'{{{expression.format(name)}}}'")

    def constant(self, name: str) -> None:
        """Add the text of a variable."""
        self._parts.append(f"f'{{{name}}}'")

    def code(self) -> str:
        """Return the expression of the list."""
        names = ", ".join(self._names)
        text = " ".join(self._parts)
        if text == f"f'{{{names}}}'":
            return names
        return f"[{text} for {names}, in zip({names})]" if names else f"[{text}] * count"
