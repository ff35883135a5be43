"""The lock that is a row, where somebody broke the row."""

import logging

import pytest
import sqlalchemy as sa

from airflow_legacy_events.databases.generic.lock import RowLock
from airflow_legacy_events.databases.generic.session import Session

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}


@pytest.fixture
def engine(tmp_path):
    made = sa.create_engine(f"sqlite:///{tmp_path / 'locks.db'}", connect_args={"check_same_thread": False})
    yield made
    made.dispose()


@pytest.mark.parametrize(
    "broken",
    [
        "leased_at = 'nonsense'",
        "leased_at = ''",
        "leased_at = 'nonsense', holder = '{'",
        "beats = 'x', holder = x'ff'",
        "token = '', leased_at = 7",
    ],
)
def test_a_row_that_somebody_broke_stops_its_stream_once_at_most(engine, broken):
    def held(run):
        connect = Session(engine, lambda _: None).open
        return RowLock(connect, "s", {**HOLDER, "run": run}, logging.getLogger("tests"), heartbeat=0.05).held()

    with held("r1") as first:
        first._released.set()  # its heart stands still
        with engine.begin() as session:
            session.execute(sa.text(f"UPDATE legacy_events_locks SET {broken}"))
            assert session.execute(sa.text("SELECT count(*) FROM legacy_events_locks")).scalar() == 1
        with held("r2") as lease:
            lease.check()
