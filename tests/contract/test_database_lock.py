"""The lock of a stream, on every database: one works, whoever comes second is told by whom."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import BusyError
from tests.support.engines import EACH
from tests.support.legacy import legacy_database

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}


@pytest.fixture(params=EACH)
def legacy(request):
    with legacy_database(request, request.param) as found:
        yield found


@pytest.fixture
def database(legacy):
    made = legacy.database()
    yield made
    made.close()


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


def test_the_lock_is_free_after_an_error(database, other):
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
