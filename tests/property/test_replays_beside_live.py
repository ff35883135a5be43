"""A writer, the live stream and two replays at once: in the end the last message of each key is its row."""

from __future__ import annotations

import itertools
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_legacy_events.core.model import Window
from tests.support.beside_live import Beside
from tests.support.engines import of
from tests.support.legacy import reused_database
from tests.support.profile import LONG

ROWS = 60
SECONDS = 30 if LONG else 1.5


@pytest.fixture(params=[*of("postgresql"), *of("mysql")])
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


def test_the_last_message_of_each_key_is_its_row(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, version integer NOT NULL, body text)")
    legacy.execute("CREATE INDEX t_version ON t (version, id)")
    legacy.execute("INSERT INTO t VALUES " + ", ".join(f"({n}, {n}, 'old')" for n in range(1, ROWS + 1)))
    beside, over = Beside(legacy, watermark_columns=("version",)), threading.Event()
    windows = {"early": Window(None, "0", "400"), "late": Window(None, "400", "99999999")}
    beside.live()

    def write():
        chosen, until, application = random.Random(7), time.monotonic() + SECONDS, legacy.connect()
        try:
            for version in itertools.takewhile(lambda _: time.monotonic() < until, itertools.count(ROWS + 1)):
                changed = f"version = {version}, body = 'v{version}'"
                application.execute(f"UPDATE t SET {changed} WHERE id = {chosen.randint(1, ROWS)}")
                over.wait(0.002)
        finally:
            over.set()
            application.close()

    def again_and_again(act):
        while not over.is_set():
            act()

    def replay(name):
        beside.replay(lambda _: None, windows[name], name=name, batch_rows=20)

    with ThreadPoolExecutor(4) as threads:
        works = [threads.submit(write), threads.submit(again_and_again, beside.live)]
        works += [threads.submit(again_and_again, lambda name=name: replay(name)) for name in windows]
        for work in works:
            work.result()
    beside.live()

    assert beside.last() == beside.table()
