"""Texts that are made once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

_MOST = 20_000

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Memo(dict[Key, Value]):
    """Values by key, each made when it is first needed; a full one begins again.

    Args:
        make: makes the value of a key.
    """

    def __init__(self, make: Callable[[Key], Value]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: Key) -> Value:
        """Make a value, and keep it."""
        if len(self) >= _MOST:
            self.clear()
        found = self[key] = self._make(key)
        return found


D1 = tuple(f"{number}" for number in range(10))
D2 = tuple(f"{number:02}" for number in range(100))
D3 = tuple(f"{number:03}" for number in range(1_000))
"""Numbers of one, two and three digits."""
