"""The lock of a stream, on every database: one works, whoever comes second is told by whom."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import BusyError, SourceError
from airflow_legacy_events.core.lease import PROOF_SECONDS, FencedBroker, ProvedLease
from airflow_legacy_events.core.model import Messages
from tests.support.engines import EACH
from tests.support.legacy import legacy_database
from tests.support.locks import lose
from tests.support.profile import LONG

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}


@pytest.fixture(params=EACH)
def legacy(request):
    with legacy_database(request, request.param) as found:
        yield found


@pytest.fixture
def other(legacy):
    made = legacy.database()
    yield made
    made.close()


def test_a_busy_lock_names_its_holder(database, other):
    with database.lock("crm.t@topic", HOLDER) as lease:
        lease.check()
        with pytest.raises(BusyError) as busy, other.lock("crm.t@topic", {**HOLDER, "run": "r2", "pid": 1}):
            pass
        lease.check()
    message = str(busy.value)
    assert "stream 'crm.t@topic' is being worked on by" in message
    for part in ("dag 'd'", "task 't'", "run 'r1'", "try 1", "host worker-1", "pid 4711"):
        assert part in message
        assert part in busy.value.holder
    assert busy.value.healthy is not False
    with other.lock("crm.t@topic", {**HOLDER, "run": "r2"}):
        pass


def test_two_streams_of_one_table_do_not_block_each_other(database, other):
    with database.lock("crm.t@one", HOLDER), other.lock("crm.t@two", HOLDER):
        pass


@pytest.mark.parametrize(
    "change", [{"try": 1}, {"run": "r0", "try": 2}, {"map_index": 3, "try": 2}, {"dag": "e", "try": 2}]
)
def test_only_an_earlier_try_of_the_same_task_instance_gives_way(database, other, change):
    with (
        database.lock("crm.t@topic", HOLDER),
        pytest.raises(BusyError),
        other.lock("crm.t@topic", {**HOLDER, **change}),
    ):
        pass


def test_the_lock_is_free_at_once_after_an_error(database, other):
    for _ in range(20):
        with pytest.raises(ValueError, match="inside"), database.lock("s", HOLDER):
            raise ValueError("inside")
        with other.lock("s", {**HOLDER, "run": "r2"}) as lease:
            lease.check()


def test_names_of_any_length_and_alphabet_are_shown(database, other):
    holder = {**HOLDER, "dag": "ä" * 250, "task": "/* task */ %s '\"{}", "run": "r" * 250, "host": "h" * 250}
    with database.lock("s" * 500, holder), pytest.raises(BusyError) as busy, other.lock("s" * 500, HOLDER):
        pass
    assert "task '/* task */ %s" in str(busy.value)
    assert "pid 4711" in str(busy.value)


PLACES = sa.table("places", sa.column("id"), sa.column("body"))


@pytest.fixture
def places(legacy):
    legacy.execute("CREATE TABLE places (id integer PRIMARY KEY, body text)")
    for number in (1, 2, 3):
        legacy.execute(f"INSERT INTO places VALUES ({number}, 'b{number}')")

    def left():
        return [int(number) for (number,) in legacy.execute("SELECT id FROM places ORDER BY id")]

    return left


def delete(*numbers):
    return sa.delete(PLACES).where(PLACES.c.id.in_([sa.literal_column(str(number)) for number in numbers]))


def test_what_is_executed_under_a_lock_is_committed_and_says_what_it_did(database, places):
    changed = sa.update(PLACES).where(PLACES.c.id == sa.literal_column("3")).values(body=sa.literal_column("'x'"))
    found = sa.select(PLACES.c.id, PLACES.c.body).order_by(PLACES.c.id)
    with database.lock("s", HOLDER) as lease:
        removed, moved, rows = lease.execute([delete(1, 9), changed, found])
        assert places() == [2, 3]
        lease.check()

    assert (removed.number, moved.number, rows.number) == (1, 1, 2)
    assert [(str(number), body) for number, body in rows.rows] == [("2", "b2"), ("3", "x")]
    assert removed.rows == moved.rows == []


def test_of_a_transaction_whose_statement_fails_nothing_stays_and_the_lock_is_still_held(database, other, places):
    broken = sa.delete(sa.table("places", sa.column("missing"))).where(sa.column("missing") == sa.literal_column("1"))
    with database.lock("s", HOLDER) as lease:
        with pytest.raises(SourceError, match="acknowledges at its source could not be written"):
            lease.execute([delete(1), broken])
        assert places() == [1, 2, 3]
        with pytest.raises(BusyError), other.lock("s", {**HOLDER, "run": "r2"}):
            pass
        assert [answer.number for answer in lease.execute([delete(1)])] == [1]
    assert places() == [2, 3]


def test_nothing_is_executed_once_the_lock_is_lost(legacy, database, places):
    with contextlib.suppress(SourceError), database.lock("s", HOLDER) as lease:
        lose(legacy)
        with pytest.raises(SourceError):
            lease.execute([delete(1)])
    assert places() == [1, 2, 3]


def test_no_message_goes_out_once_the_lock_is_lost_and_its_proof_is_old(legacy, database, other):
    now, broker = [0.0], MemoryBroker()

    def send(fenced):
        fenced.publish(Messages("t", ["k"], [str(now[0])]))
        fenced.confirm()

    with contextlib.suppress(SourceError), database.lock("s", HOLDER) as lease:
        fenced = FencedBroker(broker, ProvedLease(lease, [lambda: now[0]]))
        send(fenced)
        now[0] += PROOF_SECONDS
        send(fenced)
        lose(legacy)
        with other.lock("s", {**HOLDER, "run": "r2"}) as taken:
            now[0] += PROOF_SECONDS
            with pytest.raises(SourceError, match=r"stream 's'.* (is lost|was removed while it was held)"):
                send(fenced)
            taken.check()
    assert [kept.value for kept in broker.topic("t")] == ["0.0", "7.0"]


def test_runs_that_meet_again_and_again_take_the_lock_or_are_busy(legacy):
    """A run that is just taking its lock, or giving it back, is a run all the same."""
    rounds = 300 if LONG else 15

    def work(number):
        ended = []
        database = legacy.database()
        for again in range(rounds):
            try:
                with database.lock("s", {**HOLDER, "run": f"r{number}-{again}"}) as lease:
                    lease.check()
                    ended.append("worked")
            except BusyError:
                ended.append("busy")
        database.close()
        return ended

    with ThreadPoolExecutor(3) as pool:
        ended = [one for each in pool.map(work, range(3)) for one in each]
    assert len(ended) == 3 * rounds
    assert "worked" in ended
