"""Progress of a pass over a table's file, as a fact of the watermark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.core.ports import VersionStorage

FACT = "pass"


@dataclass
class Pass:
    """A pass over all blocks of a table, for rows that were written by some transactions.

    Attributes:
        low: number of the first transaction; None: rows of any age.
        high: number behind the last transaction.
        storage: file that it reads; its blocks as they were when the pass began.
        after: place of the last row or block that was read; None before the first.
    """

    low: int | None
    high: int
    storage: VersionStorage
    after: str | None = None

    @classmethod
    def of(cls, fact: Mapping[str, Any]) -> Pass:
        """Return the pass of a fact."""
        low = fact["low"]
        storage = VersionStorage(fact["file"], fact["blocks"])
        return cls(None if low is None else int(low), int(fact["high"]), storage, fact["after"])

    def as_fact(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {
            "low": None if self.low is None else str(self.low),
            "high": str(self.high),
            "file": self.storage.file,
            "blocks": self.storage.blocks,
            "after": self.after,
        }

    def begin(self, storage: VersionStorage) -> None:
        """Begin again, in another file."""
        self.storage, self.after = storage, None


def is_pass(found: Any) -> bool:
    """Whether a fact is that of a pass."""
    return (
        isinstance(found, dict)
        and (found.get("low") is None or _is_number(found["low"]))
        and _is_number(found.get("high"))
        and isinstance(found.get("file"), str)
        and type(found.get("blocks")) is int
        and found["blocks"] >= 0
        and (found.get("after") is None or isinstance(found["after"], str))
    )


def _is_number(found: Any) -> bool:
    return isinstance(found, str) and found.isascii() and found.isdigit()
