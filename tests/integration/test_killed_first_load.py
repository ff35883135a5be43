"""A first load that is killed at 60 % and goes on: every row arrives, and only what was not saved comes twice.

A writer of a lower id, or an older transaction, holds all of it back at first. In its short form of some thousand rows.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import mmap
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.watermarks.table import TableWatermarkStore
from tests.services.postgres import Postgres18
from tests.support.databases import fresh_database
from tests.support.profile import LONG
from tests.support.standby import restartable
from tests.support.streams import Deliveries

ROWS = 5_000_000 if LONG else 20_000
KILLED_AT = ROWS * 6 // 10
BATCH = 10_000 if LONG else 500


class CountingBroker(MemoryBroker):
    """Counts in a file how often each row was confirmed; kills its process once as many messages were.

    Args:
        counts: a byte for each id.
        killed_at: number of messages; None: never.
    """

    def __init__(self, counts: Path, killed_at: int | None) -> None:
        super().__init__()
        with counts.open("r+b") as file:
            self.counts = mmap.mmap(file.fileno(), 0)
        self.left = killed_at

    def _keep(self, messages, left_out, first):
        for value in messages.values:
            self.counts[int(json.loads(value)["data"]["id"])] += 1
        self.counts.flush()
        if self.left is not None:
            self.left -= len(messages.values)
            if self.left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return []


def run(url: str, column: str, counts: Path, store: Path, killed_at: int | None):
    """Run the stream once; its watermark is in a file."""
    watermarks = TableWatermarkStore(sa.create_engine(f"sqlite:///{store}"), "kept")
    options = {"watermark_columns": (column,)}
    broker = CountingBroker(counts, killed_at)
    return Deliveries(url=url, broker=broker, topic="t", store=watermarks, options=options).run(batch_rows=BATCH)


def killed(*arguments):
    """Run the stream in this process until it kills itself; where it comes to a halt instead, show where."""
    faulthandler.dump_traceback_later(3_000 if LONG else 120, exit=True)
    run(*arguments)


@pytest.fixture(scope="module")
def server():
    with restartable(Postgres18) as found:  # of its own: an open transaction of any database holds row versions back
        yield found


@pytest.mark.parametrize("column", ["id", "xmin"])
def test_every_row_arrives_and_only_what_was_not_saved_comes_twice(server, tmp_path, column):
    counts, store = tmp_path / "counts", tmp_path / "store.db"
    counts.write_bytes(bytes(ROWS + 2))
    with fresh_database(server) as database, contextlib.ExitStack() as stack:
        database.execute("CREATE TABLE orders (id serial PRIMARY KEY, note text NOT NULL DEFAULT 'x')")
        writer = stack.enter_context(contextlib.closing(sa.create_engine(database.url).connect()))
        lower = writer.execute(sa.text("INSERT INTO orders DEFAULT VALUES RETURNING id")).scalar_one()
        database.execute(f"INSERT INTO orders (id) SELECT nextval('orders_id_seq') FROM generate_series(1, {ROWS})")
        url = sa.make_url(database.url).render_as_string(hide_password=False)
        assert run(url, column, counts, store, None).rows == 0, "the writer holds everything back"
        (writer.commit if column == "id" else writer.rollback)()
        child = multiprocessing.get_context("spawn").Process(
            target=killed, args=(url, column, counts, store, KILLED_AT), daemon=True
        )
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        begun = time.monotonic()
        report = run(url, column, counts, store, None)

    found = counts.read_bytes()
    there = [at for at in range(1, ROWS + 2) if column == "id" or at != lower]
    assert all(found[at] for at in there)
    repeated = sum(found[at] - 1 for at in there)
    print(f"{column}: {ROWS} rows, the second run {report.rows}, {repeated} twice, {time.monotonic() - begun:.0f} s")
    assert repeated < 50 * BATCH
