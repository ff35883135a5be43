"""Every type of a running server: `data` of a snapshot, of the log and of the query operators are equal texts."""

from __future__ import annotations

import os
import random
from contextlib import closing

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from tests.services.mysql_family import connect, run
from tests.support.binlogs import BINLOGGED, binlogged_database
from tests.support.crashes import World
from tests.support.log_to_topic import send_log
from tests.support.mysql_catalog import SESSION, known
from tests.support.profile import LONG
from tests.support.streams import Deliveries

ROWS = int(os.environ.get("LEGACY_EVENTS_TEST_ROWS", "2000" if LONG else "12"))
SEED = int(os.environ.get("LEGACY_EVENTS_TEST_SEED", str(random.randrange(2**32))))
COLUMNS = 110


@pytest.fixture(params=BINLOGGED)
def binlogged(request):
    with binlogged_database(request, request.param) as found:
        yield found


@pytest.mark.timeout(0 if LONG or "LEGACY_EVENTS_TEST_ROWS" in os.environ else 300)
def test_snapshot_log_and_query_give_equal_texts(binlogged):
    print(f"seed {SEED}: repeat with LEGACY_EVENTS_TEST_SEED={SEED}")
    r, url = random.Random(SEED), binlogged.legacy.url
    with closing(connect(url)) as legacy:
        run(legacy, SESSION)
        types = known(legacy)
        r.shuffle(types)
        for start in range(0, len(types), COLUMNS):
            some = types[start : start + COLUMNS]
            columns = ", ".join(f"c{at} {one.sql}" for at, one in enumerate(some))
            run(legacy, "DROP TABLE IF EXISTS t")
            legacy.query(f"CREATE TABLE t (id int PRIMARY KEY, {columns}) ROW_FORMAT = DYNAMIC".encode())
            statement = f"INSERT INTO t VALUES (%s, {', '.join(one.mark for one in some)})"
            rows = list(zip(*(one.values(r, ROWS) for one in some), strict=True))
            world, broker = World(), MemoryBroker()
            for first in (0, ROWS):  # the same rows for the snapshot, and behind it
                for number, row in enumerate(rows, first):
                    run(legacy, statement, number, *row)
                send_log(binlogged, world, broker, "log", PlainEnvelope())
            Deliveries(
                url.render_as_string(hide_password=False), broker, "query", table="t", envelope=PlainEnvelope()
            ).run(batch_rows=5_000)
            logged, queried = (broker.topic(topic) for topic in ("log", "query"))
            assert len(logged) == len(queried) == 2 * ROWS
            assert {one.key: one.value for one in logged} == {one.key: one.value for one in queried}, f"seed {SEED}"
