"""Rows that a table holds: by key, locked until the end of the transaction, with the spelling of their keys."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError, TargetError
from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports.target import RowState
from airflow_legacy_events.databases.mysql.target.keys import KeyColumn
from airflow_legacy_events.databases.mysql.target.rows import Literals, key_of
from airflow_legacy_events.databases.mysql.target.sending import Sender
from airflow_legacy_events.databases.mysql.target.table import MysqlTable

KEYS_PER_STATEMENT = 1_000
"""Keys that a condition names: with more, old servers read the whole table instead."""


class Table:
    """A table within a transaction.

    Args:
        sender: of the transaction.
        shape: of the table.
    """

    def __init__(self, sender: Sender, shape: TargetShape) -> None:
        self.sender, self.shape = sender, shape
        self.facts: MysqlTable = shape.facts
        self.literals = Literals(shape, sender.quote)
        self.name: bytes = self.facts.quoted.encode()
        self._key_names = [one.name.encode() for one in self.facts.key]

    def conditions(self, keys: Sequence[Sequence[Any]]) -> list[bytes]:
        """Return conditions that a row has one of some keys, each for a part of them."""
        found = self.literals.keys(keys)
        return [
            self._among(found[first : first + KEYS_PER_STATEMENT]) for first in range(0, len(found), KEYS_PER_STATEMENT)
        ]

    def there(
        self, keys: Sequence[Sequence[Any]], former: Sequence[Sequence[Any]] = ()
    ) -> dict[Hashable, tuple[Any, ...]]:
        """Return the rows that are there by the identity of their keys, and lock them.

        Args:
            keys: of messages.
            former: keys that rows may still have, in another spelling of the new ones.

        Raises:
            ConfigurationError: a row has a key in another spelling, or two of the keys are one to the table.
        """
        self._refuse_equal(keys)
        read = b", ".join(one.read.encode() for one in self.facts.key)
        found: dict[Hashable, tuple[Any, ...]] = {}
        for condition in self.conditions(keys):
            statement = b"SELECT %b FROM %b WHERE %b FOR UPDATE" % (read, self.name, condition)
            for row in self.sender.rows(statement):
                key = tuple(map(_text, row))
                found[self.facts.identity_of(self.shape, key)] = key
        self._refuse_spelling([*keys, *former], found)
        return found

    def newer(self, rows: Sequence[RowState], keys: Sequence[Sequence[Any]]) -> set[Hashable]:
        """Return the identities of rows whose stored version is above that of their message.

        Args:
            rows: of the messages.
            keys: under which each lies in the table.
        """
        at = self.shape.version
        pairs = zip(rows, self.literals.keys(keys), strict=True) if at is not None else ()
        some = [(key, one.row[at]) for one, key in pairs if at is not None and isinstance(one.row[at], str)]
        found = set[Hashable]()
        if at is None or not some:
            return found
        name, read = self.literals.names[at], b", ".join(one.read.encode() for one in self.facts.key)
        each = [b"(%b AND %b > %b)" % (self._is(key), name, self.literals.one(at, version)) for key, version in some]
        for first in range(0, len(each), KEYS_PER_STATEMENT):
            condition = b" OR ".join(each[first : first + KEYS_PER_STATEMENT])
            statement = b"SELECT %b FROM %b WHERE %b FOR UPDATE" % (read, self.name, condition)
            found |= {self.facts.identity_of(self.shape, tuple(map(_text, row))) for row in self.sender.rows(statement)}
        return found

    def identity(self, one: RowState) -> Hashable:
        """Return the identity of a state's key."""
        return self.facts.identity_of(self.shape, key_of(self.shape, one.row))

    def is_key(self, key: Sequence[Any]) -> bytes:
        """Return the condition that a row has a key."""
        return self._is(self.literals.keys([key])[0])

    def kept_out(self) -> TargetError:
        """Return the error for rows that the table itself kept out, changed or wrote twice."""
        known = f" Found there: {self.facts.triggers}." if self.facts.triggers else ""
        return TargetError(
            f"table {self.shape.table!r} did not take all rows: disable what keeps them out or changes their key, such"
            f" as a trigger.{known} Nothing of the batch was applied"
        )

    def _among(self, keys: Sequence[tuple[bytes, ...]]) -> bytes:
        if len(self._key_names) == 1:
            return b"%b IN (%b)" % (self._key_names[0], b",".join(one for (one,) in keys))
        return b" OR ".join(map(self._is, keys))

    def _is(self, key: Sequence[bytes]) -> bytes:
        return b"(" + b" AND ".join(b"%b=%b" % one for one in zip(self._key_names, key, strict=True)) + b")"

    def _refuse_equal(self, keys: Sequence[Sequence[Any]]) -> None:
        """Check that the server calls no two keys equal, where only its collation says so."""
        several = list(dict.fromkeys(map(tuple, keys)))
        collated = [at for at, one in enumerate(self.facts.key) if one.collation]
        if not collated or len(several) == 1 or self._is_plainly_distinct(several, collated):
            return
        first, *others = self.literals.keys(several)
        named = b",".join(b"%b c%d" % (one, at) for at, one in enumerate(first))
        given = b" UNION ALL ".join([b"SELECT " + named, *(b"SELECT " + b",".join(one) for one in others)])
        compared = b",".join(_compared(one, at) for at, one in enumerate(self.facts.key))
        [(count,)] = self.sender.rows(b"SELECT COUNT(DISTINCT %b) FROM (%b) given" % (compared, given))
        if int(count) < len(several):
            raise self._one_key("two messages")

    def _is_plainly_distinct(self, keys: Sequence[tuple[Any, ...]], collated: Sequence[int]) -> bool:
        if not all(self.facts.key[at].is_plain([key[at] for key in keys]) for at in collated):
            return False
        folded = {tuple(one.lower() if at in collated else one for at, one in enumerate(key)) for key in keys}
        return len(folded) == len(keys)

    def _refuse_spelling(self, keys: Sequence[Sequence[Any]], found: Mapping[Hashable, tuple[Any, ...]]) -> None:
        if not any(one.collation or one.padded for one in self.facts.key):
            return
        texts = [at for at, one in enumerate(self.facts.key) if one.collation or one.padded]
        known = {tuple(key[at] for at in texts) for key in keys}
        if any(tuple(key[at] for at in texts) not in known for key in found.values()):
            raise self._one_key("a message and of a row")

    def _one_key(self, whose: str) -> ConfigurationError:
        by = self.shape.key or self.shape.repeats
        found = (self.facts.columns[at].collation for at in by)
        collations = ", ".join(dict.fromkeys(one for one in found if one is not None))
        return ConfigurationError(
            f"table {self.shape.table!r} takes two spellings of a key for one:"
            f" {', '.join(self.shape.named(by))} of {whose} differ, and collation {collations} calls them equal, so one"
            " row would stand for two. Nothing of the batch was applied. Give the key columns a binary or"
            " case-sensitive collation, or correct the keys at their source"
        )


def _compared(column: KeyColumn, at: int) -> bytes:
    name = f"c{at}"
    found = name if column.collation is None else f"CONVERT({name} USING {column.charset}) COLLATE {column.collation}"
    return found.encode()


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
