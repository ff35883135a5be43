"""Keys: when two of them are one to a table, and how stored ones are read back."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Hashable, Sequence
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from airflow_legacy_events.databases.mysql.grants import quoted
from airflow_legacy_events.databases.mysql.target.columns import BINARY, TEXTS, CatalogColumn

Fold: TypeAlias = Callable[[str], Hashable]

_NUMBERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "year"})
_EXACT = frozenset({*TEXTS, *BINARY, *_NUMBERS, "decimal", "date", "time", "datetime", "timestamp", "uuid"}) | {
    *("enum", "set", "bit", "inet4", "inet6")
}
_NO_PAD = re.compile(r"_nopad_|_0900_|\Abinary\Z")
_TRUE = {"true": 1, "t": 1, "false": 0, "f": 0}
_PLAIN = re.compile(r"[A-Za-z0-9_.:/-]*", re.ASCII)
_PLAIN_COLLATIONS = re.compile(
    r"(?:utf8mb4|utf8mb3|utf8|latin1|ascii)_(?:general_ci|unicode_ci|unicode_520_ci|0900_ai_ci|uca1400_ai_ci|swedish_ci)"
)
"""Collations that compare texts of `_PLAIN` characters by their letters, large or small."""


class KeyColumn(NamedTuple):
    """A column of a key.

    Attributes:
        name: of it, quoted.
        fold: turns a text of the column into what is equal for equal values.
        read: SQL that returns a stored value as a text.
        collation: that only the server compares by; None: `fold` says everything.
        charset: of such a text.
        padded: whether spaces at the end of a text don't count, so that texts may differ though they fold to one.
    """

    name: str
    fold: Fold
    read: str
    collation: str | None = None
    charset: str | None = None
    padded: bool = False

    def is_plain(self, texts: Sequence[str]) -> bool:
        """Return whether texts are compared by their letters alone."""
        return _PLAIN_COLLATIONS.fullmatch(self.collation or "") is not None and all(map(_PLAIN.fullmatch, texts))


def key_column(of: CatalogColumn) -> KeyColumn | None:
    """Return a column as a part of a key; None for a type whose values can't be compared exactly."""
    if of.base not in _EXACT:
        return None
    name = quoted(of.name)
    if of.base in TEXTS:
        return _text(of, name)
    if of.base in BINARY:
        return KeyColumn(name, _hex, f"HEX({name})")
    if of.base == "bit":
        return KeyColumn(name, _bits, f"BIN({name})")
    return KeyColumn(name, _FOLDS.get(of.base, str), f"CAST({name} AS CHAR)")


def _text(of: CatalogColumn, name: str) -> KeyColumn:
    collation = of.collation or "binary"
    padded = _NO_PAD.search(collation) is None
    if collation.endswith("_bin") or collation == "binary":
        return KeyColumn(name, _without_padding if padded else str, name, padded=padded)
    fold = _plainly if _PLAIN_COLLATIONS.fullmatch(collation) else str
    return KeyColumn(name, fold, name, collation, of.charset, padded)


def _plainly(text: str) -> str:
    return text.lower() if _PLAIN.fullmatch(text) else text


def _without_padding(text: str) -> str:
    return text.rstrip(" ")


def _hex(text: str) -> str:
    return text.removeprefix("\\x").upper()


def _integer(text: str) -> int:
    return _TRUE[text] if text in _TRUE else int(text)


def _bits(text: str) -> int:
    return _TRUE[text] if text in _TRUE else int(text, 2)


def _moment(text: str) -> str:
    found = text.removesuffix("+00")
    return found.rstrip("0").rstrip(".") if "." in found else found


def _clock(text: str) -> str:
    minutes = 1
    return _moment(text if text.count(":") > minutes else f"{text}:00")


def _members(text: str) -> frozenset[str]:
    return frozenset(text.split(","))


_FOLDS: dict[str, Fold] = {
    **dict.fromkeys(_NUMBERS, _integer),
    "decimal": Decimal,
    "datetime": _moment,
    "timestamp": _moment,
    "time": _clock,
    "uuid": str.lower,
    "set": _members,
    "inet4": ipaddress.ip_address,
    "inet6": ipaddress.ip_address,
}
