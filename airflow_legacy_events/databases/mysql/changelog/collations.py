"""Collations by number, and the character sets that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from airflow_legacy_events.databases.mysql.changelog.declared import BINARY
from airflow_legacy_events.databases.mysql.changelog.model import BinlogAccess

_DOING = "looking at the character sets"
_COLLATIONS = "SELECT id, character_set_name FROM information_schema.collations WHERE id IS NOT NULL"
_FULL = "SELECT id, character_set_name FROM information_schema.collation_character_set_applicability"
"""MariaDB since 10.10 has collations for several character sets, whose numbers only this one shows."""

_WIDTHS = "SELECT character_set_name, maxlen FROM information_schema.character_sets"
_NUMBERED = "SHOW COLUMNS FROM information_schema.collation_character_set_applicability LIKE 'ID'"
_AS_PYTHON = {"utf8mb4": "utf-8", "utf8mb3": "utf-8", "utf8": "utf-8", "ascii": "ascii"}
_NOT_ASCII = ("ucs2", "utf16", "utf16le", "utf32")


class Collations:
    """Asks the server once, when it is needed.

    Args:
        access: ways into the server.
    """

    def __init__(self, access: BinlogAccess) -> None:
        self._access = access

    @cached_property
    def _character_sets(self) -> dict[int, str]:
        query = _FULL if self._access.ask(_DOING, _NUMBERED) else _COLLATIONS
        return {int(number): str(name) for number, name in self._access.ask(_DOING, query)}

    @cached_property
    def _widths(self) -> dict[str, int]:
        return {str(name): int(width) for name, width in self._access.ask(_DOING, _WIDTHS)}

    def character_set(self, collation: int | None) -> str | None:
        """Return the character set of a collation; None for a number that the server does not have."""
        return None if collation is None else self._character_sets.get(collation)

    def width(self, character_set: str | None) -> int:
        """Return the most bytes of a character."""
        return self._widths.get(character_set or BINARY, 1)

    def text(self, statement: str, collation: int | None) -> str:
        """Return a statement that was read as UTF-8, by the character set that it was written in."""
        name = self.character_set(collation) if collation is not None and not statement.isascii() else None
        if name is None or name in _AS_PYTHON:
            return statement
        return self.labels([statement.encode("utf-8", "surrogateescape")], name)[0]

    def labels(self, labels: Sequence[bytes], character_set: str | None) -> tuple[str, ...]:
        """Return the labels of an ENUM or SET as texts; the server converts those of rarer character sets."""
        name = character_set or BINARY
        if name in _AS_PYTHON:
            return tuple(one.decode(_AS_PYTHON[name], "replace") for one in labels)
        if name not in _NOT_ASCII and all(one.isascii() for one in labels):
            return tuple(one.decode("ascii") for one in labels)
        listed = ", ".join(f"CONVERT(_{name} X'{one.hex()}' USING utf8mb4)" for one in labels)
        [row] = self._access.ask("converting labels", f"SELECT {listed}")
        return tuple(one.decode() if isinstance(one, bytes) else str(one) for one in row)
