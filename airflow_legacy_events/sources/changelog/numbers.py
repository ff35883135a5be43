"""Numbers of columns that are left out: of a renamed one, and of a new one that took its name."""

from __future__ import annotations

from collections.abc import Mapping


def numbers_of(fact: int | list[int]) -> tuple[int, ...]:
    """Return the numbers that a watermark holds for one name."""
    return (fact,) if isinstance(fact, int) else tuple(fact)


def with_number(known: Mapping[str, tuple[int, ...]], name: str, number: int | None) -> dict[str, tuple[int, ...]]:
    """Return the numbers of all names, with another one for a name unless it is None or there; the latest is the last.

    The number of a renamed column is kept when a new column takes its name, so that both are left out.
    """
    held = known.get(name, ())
    return {**known, name: (*held, number)} if number is not None and number not in held else {**known}
