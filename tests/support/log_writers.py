"""Applications that write to tables whose log is read; triggers keep the history of what they committed."""

from __future__ import annotations

import contextlib
import itertools
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.log_shops import COLUMNS, TABLES, Shop

LONG_TEXT = "long " * 4_000


class Writer(threading.Thread):
    """Commits random transactions until it is told to end: savepoints, rollbacks, key changes, large values and rows.

    Args:
        shop: where it writes.
        seed: of its choices.
    """

    def __init__(self, shop: Shop, seed: int) -> None:
        super().__init__(daemon=True)
        self._shop, self._random, self._versions = shop, random.Random(seed), shop.versions
        self._session = shop.session(seed)
        self._seed = seed
        self.over = threading.Event()
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            while not self.over.wait(self._random.random() * 0.02):
                with contextlib.suppress(*self._shop.lost):
                    self._shop.transaction(self._session, self._random, self._change_some)
                    continue
                self._session = self._shop.recovered(self._session, self._seed)
        except Exception as error:  # noqa: BLE001  raised in the test's thread
            self.error = error
        finally:
            self._session.close()

    def _change_some(self, session: Any, *, savepoints: bool = True) -> None:
        for _ in range(self._random.choice((1, 1, 2, 5, 20))):
            self._change(session)
        if self._random.random() < 0.02:
            rows = [(number, next(self._versions), "bulk") for number in range(1, 401)]
            self._put(session, "orders", rows, ("v", "note"))
        if savepoints and self._random.random() < 0.3:
            session.execute("SAVEPOINT one")
            self._change(session)
            session.execute("ROLLBACK TO SAVEPOINT one" if self._random.random() < 0.5 else "RELEASE SAVEPOINT one")

    def _change(self, session: Any) -> None:
        name, dice = self._random.choice(self._shop.names), self._random.random()
        key, to = (self._shop.key(name, self._random) for _ in range(2))
        table, columns, marks = self._shop.table(name), TABLES[name], ", ".join("%s" for _ in key)
        version = next(self._versions)
        more = {"v": version} | {one: f"{one} {version}" for one in self._shop.later(name, self._random)}
        if dice < 0.45:
            values = {**more, "note": self._random.choice(("short", None, LONG_TEXT))}
            self._put(session, name, [(*key, *values.values())], tuple(values))
        elif dice < 0.7:
            changed = ", ".join(f"{column} = %s" for column in (*COLUMNS[name], *more))
            session.execute(f"UPDATE {table} SET {changed} WHERE ({columns}) = ({marks})", (*to, *more.values(), *key))
        else:
            session.execute(f"DELETE FROM {table} WHERE ({columns}) = ({marks})", key)

    def _put(self, session: Any, name: str, rows: list[tuple[Any, ...]], others: tuple[str, ...]) -> None:
        """Insert rows; of those that are there already, change all but the note."""
        kept = [one for one in others if one != "note"]
        marks = ", ".join(f"({', '.join('%s' for _ in row)})" for row in rows)
        session.execute(
            f"INSERT INTO {self._shop.table(name)} ({', '.join((*COLUMNS[name], *others))}) VALUES {marks} "
            + self._shop.upsert(name, kept),
            tuple(itertools.chain(*rows)),
        )


@contextmanager
def writing(shop: Shop, writers: int = 4) -> Iterator[list[Writer]]:
    """Writers that write until they are told to end, at the latest when the context ends."""
    found = [Writer(shop, seed) for seed in range(writers)]
    for one in found:
        one.start()
    try:
        yield found
    finally:
        end(found)


def end(writers: list[Writer]) -> None:
    """Let writers end; raise what one of them died of."""
    for one in writers:
        one.over.set()
    for one in writers:
        one.join(60)
    for one in writers:
        if one.error is not None:
            raise one.error
