"""Numbers of columns: which columns of the catalog those of the log are, though they may have been renamed since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

Attributes = Mapping[int, str | None]
"""Names of a table's columns by number, as the catalog has them now; None for a column that was dropped."""


def numbers_of(names: Sequence[str], attributes: Attributes, *, ordered: bool) -> tuple[int | None, ...]:
    """Return the numbers of a relation's columns; None for a column of which it is not certain.

    The log names columns, it does not number them. A column that the catalog knows under its name is that column. One
    that it does not know was renamed or dropped since. It lies between its neighbours, so it is known if there are as
    many other columns between them as the catalog has there.

    Args:
        names: of the log, in its order.
        attributes: of the table.
        ordered: whether the log has the columns in the order of their numbers, as for any table but a partition.
    """
    by_name = {name: number for number, name in attributes.items() if name is not None}
    found = [by_name.get(name) for name in names]
    if not ordered:
        return tuple(found)
    known = [number for number in found if number is not None]
    if any(one > other for one, other in pairwise(known)):  # two columns swapped their names
        return (None,) * len(found)
    edges = [-1, *(at for at, number in enumerate(found) if number is not None), len(found)]
    for first, last in pairwise(edges):
        low = found[first] or 0 if first >= 0 else 0
        high = found[last] if last < len(found) else None
        between = [number for number in sorted(attributes) if number > low and (high is None or number < high)]
        if len(between) == last - first - 1:
            found[first + 1 : last] = between
    return tuple(found)
