"""Kinds of tables that the random machine moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tests.machine.tables import Table, moment


class Numbered(Table):
    """Rows that never change, by ids that the database hands out."""

    columns = "id {auto}, at timestamp NOT NULL"
    options: ClassVar[dict[str, Any]] = {"watermark_columns": ("id",)}
    updates = False

    def insert_one(self, number: int) -> None:
        self.do(f"INSERT INTO {self.name} (at, n, extra) VALUES (?, ?, ?)", moment(number), number, f"x{number}")

    def _restart(self, rows: Sequence[tuple[Any, ...]], name: str = "") -> None:
        last, name = max((row[0] for row in rows), default=0), name or self.name
        if self.legacy.dialect == "postgresql":
            self.do("SELECT setval(pg_get_serial_sequence(?, 'id'), ?, ?)", name, max(last, 1), last > 0)
        elif self.legacy.dialect == "mysql":
            self.do(f"ALTER TABLE {name} AUTO_INCREMENT = {last + 1}")
        else:
            self.do("DELETE FROM sqlite_sequence WHERE name = ?", name)
            self.do("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", name, last)


class Returning(Numbered):
    """Ids of SQLite without AUTOINCREMENT, which return."""

    columns = "id integer PRIMARY KEY, at timestamp NOT NULL"

    def _restart(self, rows: Sequence[tuple[Any, ...]], name: str = "") -> None:
        """The next id is behind the rows that are there."""


class Timed(Table):
    """Rows that change, by time and a number."""

    columns = "id integer NOT NULL, at timestamp NOT NULL"
    constraint = ", PRIMARY KEY (id)"
    options: ClassVar[dict[str, Any]] = {"watermark_columns": ("at",)}

    def insert_one(self, number: int) -> None:
        self.do(f"INSERT INTO {self.name} (id, at, n, extra) VALUES (?, ?, ?, 'x')", number, moment(number), number)


class Coded(Table):
    """Rows that change, by time and a text."""

    columns = "code varchar(20) NOT NULL, at timestamp NOT NULL"
    constraint = ", PRIMARY KEY (code)"
    key = ("code",)
    options: ClassVar[dict[str, Any]] = {"watermark_columns": ("at",)}

    def insert_one(self, number: int) -> None:
        code = f"{self.rng.choice('aZ-_ß')}{number}"
        self.do(f"INSERT INTO {self.name} (code, at, n, extra) VALUES (?, ?, ?, 'x')", code, moment(number), number)


class Paired(Table):
    """Rows that change, by time and a key of two columns."""

    columns = "a integer NOT NULL, b varchar(9) NOT NULL, at timestamp NOT NULL"
    constraint = ", PRIMARY KEY (a, b)"
    key = ("a", "b")
    options: ClassVar[dict[str, Any]] = {"watermark_columns": ("at",)}

    def insert_one(self, number: int) -> None:
        row = number // 3, f"b{number}", moment(number), number
        self.do(f"INSERT INTO {self.name} (a, b, at, n, extra) VALUES (?, ?, ?, ?, 'x')", *row)


class Loaded(Coded):
    """A full load with each run."""

    options: ClassVar[dict[str, Any]] = {"watermark_columns": ()}


class Unheld(Loaded):
    """A full load of a table whose engine holds no snapshot."""

    engine = "ENGINE=MyISAM"


class Viewed(Timed):
    """A view of rows that change, which is redefined now and then."""

    options: ClassVar[dict[str, Any]] = {"watermark_columns": ("at",), "key_columns": ("id",)}

    def __post_init__(self) -> None:
        self.source = f"{self.name}_view"
        self.make()
        self._define(50)

    def redefine(self) -> None:
        """Let the view show more or fewer rows."""
        self.do(f"DROP VIEW {self.source}")
        self._define(self.rng.randint(10, 200))

    def _define(self, below: int) -> None:
        self.do(f"CREATE VIEW {self.source} AS SELECT id, at, n, extra FROM {self.name} WHERE id % 100 < {below}")


KINDS: dict[str, tuple[type[Table], ...]] = {
    "sqlite": (Numbered, Returning, Timed, Coded, Paired, Loaded, Viewed),
    "postgresql": (Numbered, Timed, Coded, Paired, Loaded, Viewed),
    "mysql": (Numbered, Timed, Coded, Paired, Loaded, Unheld, Viewed),
}
"""By dialect."""
