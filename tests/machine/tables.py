"""Tables of the random machine: their keys, times and engines, and what is done to them."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.support.legacy import Legacy

_BEGIN = dt.datetime(2026, 1, 1)  # noqa: DTZ001  as a column without a zone holds it
_AUTO = {
    "sqlite": "integer PRIMARY KEY AUTOINCREMENT",
    "postgresql": "serial PRIMARY KEY",
    "mysql": "integer AUTO_INCREMENT PRIMARY KEY",
}
_RETYPED = {
    "postgresql": ("ALTER TABLE {} ALTER extra TYPE varchar(20)", "ALTER TABLE {} ALTER extra TYPE varchar(30)"),
    "mysql": ("ALTER TABLE {} MODIFY extra varchar(20)", "ALTER TABLE {} MODIFY extra varchar(30)"),
    "sqlite": (),
}


@dataclass
class Table:
    """One table, of which every write has a number of its own: the version of its row.

    Attributes:
        legacy: where it is.
        rng: chooses.
        name: of the table.
        source: what its stream reads: the table itself, or a view of it.
    """

    legacy: Legacy
    rng: random.Random
    name: str
    source: str = ""
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    copy: list[tuple[Any, ...]] = field(default_factory=list)

    columns: ClassVar[str] = ""
    constraint: ClassVar[str] = ""
    key: ClassVar[tuple[str, ...]] = ("id",)
    options: ClassVar[dict[str, Any]] = {}
    updates: ClassVar[bool] = True
    engine: ClassVar[str] = ""

    def __post_init__(self) -> None:
        self.source = self.source or self.name
        self.make()

    def make(self, name: str = "") -> None:
        """Make the table, or another one like it."""
        columns = self.columns.format(auto=_AUTO[self.legacy.dialect])
        engine = self.engine if self.legacy.dialect == "mysql" else ""
        columns += f", n integer NOT NULL, extra varchar(20){self.constraint}"
        self.do(f"CREATE TABLE {name or self.name} ({columns}) {engine}")

    def do(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement of the application."""
        return self.legacy.execute(statement.replace("?", self.legacy.engine.mark), *parameters)

    def rows(self) -> dict[tuple[str, ...], int]:
        """Return the version of each row that the stream reads, by its key."""
        found = self.do(f"SELECT {', '.join(self.key)}, n FROM {self.source}")
        return {tuple(map(str, key)): n for *key, n in found}

    def keys(self) -> list[tuple[Any, ...]]:
        """Return the keys of the rows in the table, in order."""
        return sorted(self.do(f"SELECT {', '.join(self.key)} FROM {self.name}"))

    # Steps

    def insert(self) -> None:
        """Insert a few rows."""
        for _ in range(self.rng.randint(1, 6)):
            self.insert_one(next(self.numbers))

    def insert_one(self, number: int) -> None:
        """Insert one row."""
        raise NotImplementedError

    def update(self) -> None:
        """Update a few rows and their watermark columns."""
        keys = self.keys() if self.updates else []
        for key in self.rng.sample(keys, min(len(keys), self.rng.randint(1, 4))):
            number = next(self.numbers)
            self.do(f"UPDATE {self.name} SET n = ?, at = ? WHERE {self._is_key}", number, moment(number), *key)

    def delete(self) -> None:
        """Delete a few rows anywhere."""
        keys = self.keys()
        self._delete(self.rng.sample(keys, min(len(keys), self.rng.randint(1, 4))))

    def delete_newest(self) -> None:
        """Delete the newest rows."""
        self._delete(self.keys()[-self.rng.randint(1, 4) :])

    def empty(self) -> None:
        """Let a consumer empty the table."""
        self.do(f"DELETE FROM {self.name}")

    def truncate(self) -> None:
        """Empty the table at once; ids begin anew."""
        if self.legacy.dialect == "postgresql":
            self.do(f"TRUNCATE {self.name} RESTART IDENTITY")
        elif self.legacy.dialect == "mysql":
            self.do(f"TRUNCATE TABLE {self.name}")
        else:
            self.do(f"DELETE FROM {self.name}")
            self._restart([])

    def keep_copy(self) -> None:
        """Keep a copy of all rows."""
        self.copy = self.do(f"SELECT * FROM {self.name}")

    def restore(self) -> None:
        """Restore the copy, as a dump does it: the table is made anew."""
        if self.source != self.name or (self.copy and len(self.copy[0]) != len(self.do_columns())):
            return
        self._wait_for_the_next_second()
        self.do(f"DROP TABLE {self.name}")
        self.make()
        self._fill(self.copy)

    def swap(self) -> None:
        """Swap the table for a copy with the same rows."""
        if self.source != self.name:
            return
        rows = self.do(f"SELECT * FROM {self.name}")
        if rows and len(rows[0]) != len(self.do_columns()):
            return
        self.make("swapped")
        self._fill(rows, "swapped")
        self.do(f"DROP TABLE {self.name}")
        self.do(f"ALTER TABLE swapped RENAME TO {self.name}")

    def alter(self) -> None:
        """Retype a column that is data, or add an index."""
        statements = _RETYPED[self.legacy.dialect]
        if statements and self.source == self.name:
            self.do(self.rng.choice(statements).format(self.name))

    def do_columns(self) -> Sequence[str]:
        """Return the names of the columns with which the table is made."""
        return [one.split()[0] for one in f"{self.columns}, n, extra".split(", ")]

    def _fill(self, rows: Sequence[tuple[Any, ...]], name: str = "") -> None:
        for row in rows:
            marks = ", ".join("?" * len(row))
            self.do(f"INSERT INTO {name or self.name} ({', '.join(self.do_columns())}) VALUES ({marks})", *row)
        self._restart(rows, name)

    def _restart(self, rows: Sequence[tuple[Any, ...]], name: str = "") -> None:
        """Let the generator of ids go on behind rows; of tables without one nothing."""

    def _wait_for_the_next_second(self) -> None:
        """MySQL tells to the second when a table was made."""
        if self.legacy.dialect == "mysql":
            second = self.do("SELECT LOCALTIMESTAMP(0)")
            while self.do("SELECT LOCALTIMESTAMP(0)") == second:
                time.sleep(0.02)

    def _delete(self, keys: Sequence[tuple[Any, ...]]) -> None:
        for key in keys:
            self.do(f"DELETE FROM {self.name} WHERE {self._is_key}", *key)

    @property
    def _is_key(self) -> str:
        return " AND ".join(f"{name} = ?" for name in self.key)


def moment(number: int) -> str:
    """Return the time of a write, later than those of all writes before it."""
    return str(_BEGIN + dt.timedelta(seconds=number))
