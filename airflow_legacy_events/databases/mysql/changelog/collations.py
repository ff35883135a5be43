"""Collations by number, and the character sets that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from airflow_legacy_events.databases.mysql.changelog.character_sets import Conversion, texts
from airflow_legacy_events.databases.mysql.changelog.cutting import pieces
from airflow_legacy_events.databases.mysql.changelog.declared import BINARY
from airflow_legacy_events.databases.mysql.changelog.model import BinlogAccess, UnreadableValueError

_DOING = "looking at the character sets"
_COLLATIONS = "SELECT id, character_set_name FROM information_schema.collations WHERE id IS NOT NULL"
_FULL = "SELECT id, character_set_name FROM information_schema.collation_character_set_applicability"
"""MariaDB since 10.10 has collations for several character sets, whose numbers only this one shows."""

_WIDTHS = "SELECT character_set_name, maxlen FROM information_schema.character_sets"
_NUMBERED = "SHOW COLUMNS FROM information_schema.collation_character_set_applicability LIKE 'ID'"
_UTF8 = frozenset({"utf8mb4", "utf8mb3", "utf8", "ascii", BINARY})
_NAMES_BYTES = 2**16


class Collations:
    """Asks the server once, when it is needed.

    Args:
        access: ways into the server.
    """

    def __init__(self, access: BinlogAccess) -> None:
        self._access = access
        self._convert = Conversion(access.ask)

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
        if name is None or name in _UTF8:
            return statement
        stored = statement.encode("utf-8", "surrogateescape")
        first = next(pieces(name, stored, _NAMES_BYTES))  # names stand in front, values that may be long behind
        try:
            return texts(name, [first], self._convert, "")[0] + stored[len(first) :].decode("latin-1")
        except UnreadableValueError:  # bytes among the values
            return stored.decode("latin-1")

    def labels(self, labels: Sequence[bytes], character_set: str | None) -> tuple[str, ...]:
        """Return the labels of an ENUM or SET as texts.

        Raises:
            UnreadableValueError: they can't be converted.
        """
        return tuple(texts(character_set or BINARY, labels, self._convert, "labels"))
