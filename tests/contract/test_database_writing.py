"""Transactions under a lock, on every database: statements made of answers, rows as reads give them, safe errors."""

from __future__ import annotations

import traceback

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import BusyError, ConfigurationError, SourceError
from airflow_legacy_events.databases.writing import in_order
from tests.support.engines import EACH
from tests.support.legacy import legacy_database

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}
OTHER = {**HOLDER, "run": "r2", "pid": 1}
SECRET = "Ada.Lovelace"
ID, BODY = sa.column("id"), sa.column("body")
OUTBOX = sa.table("outbox", ID, BODY)


@pytest.fixture(params=EACH)
def legacy(request):
    with legacy_database(request, request.param) as found:
        found.execute("CREATE TABLE outbox (id integer PRIMARY KEY, body varchar(40) UNIQUE)")
        for number in (1, 2, 3):
            found.execute(f"INSERT INTO outbox VALUES ({number}, '{SECRET}{number}')")
        yield found


@pytest.fixture
def other(legacy):
    made = legacy.database()
    yield made
    made.close()


def left(legacy) -> list[int]:
    return [int(number) for (number,) in legacy.execute("SELECT id FROM outbox ORDER BY id")]


def oldest(number: int) -> sa.Select:
    return sa.select(ID, BODY).select_from(OUTBOX).order_by(ID).limit(number)


def test_a_statement_can_be_made_of_the_answers_before_it(legacy, database):
    def remove(answers):
        [found] = answers
        return sa.delete(OUTBOX).where(database.among([ID], [[row[0]] for row in found.rows]))

    with database.lock("s", HOLDER) as lease:
        answers = lease.execute([oldest(2), remove, lambda _: None, lambda answers: oldest(answers[1].number)])

    assert [answer.number for answer in answers] == [2, 2, 0, 1]
    assert answers[2].rows == []
    assert [str(number) for number, _ in answers[3].rows] == ["3"]
    assert left(legacy) == [3]


def test_a_function_that_fails_lets_nothing_stay(legacy, database):
    def fail(_):
        raise ValueError("inside")

    with database.lock("s", HOLDER) as lease:
        with pytest.raises(ValueError, match="inside"):
            lease.execute([sa.delete(OUTBOX), fail])
        assert left(legacy) == [1, 2, 3]
        lease.check()


def test_what_a_function_is_given_is_its_own():
    answers = in_order([lambda found: found.append(1), lambda found: found.clear()], lambda _: None)
    assert len(answers) == 2


def test_an_error_of_a_statement_holds_no_value_of_a_row(legacy, database):
    double = sa.update(OUTBOX).where(sa.literal_column("1=1")).values(body=sa.literal_column(f"'{SECRET}1'"))
    with database.lock("s", HOLDER) as lease, pytest.raises(SourceError, match="could not be written") as failed:
        lease.execute([double])
    assert SECRET not in "".join(traceback.format_exception(failed.value))
    assert left(legacy) == [1, 2, 3]


def test_the_lock_of_a_table_is_one_whichever_way_the_table_is_written(legacy, database, other):
    full = {"sqlite": "main.OUTBOX", "mysql": f"{legacy.url.database}.outbox", "postgresql": "public.outbox"}
    names = ["outbox", full.get(legacy.dialect, "OUTBOX")]
    first = database.writes("outbox").name
    for name in names:
        assert other.writes(name).name == first
        with (
            database.lock("one", HOLDER, table=first),
            pytest.raises(BusyError, match="stream 'two' is being worked on by dag 'd'"),
            other.lock("two", OTHER, table=other.writes(name).name),
        ):
            pass
    with database.lock("one", HOLDER, table=first), other.lock(first, OTHER):
        pass


def test_only_a_table_has_rows_to_be_written(legacy, database):
    legacy.execute("CREATE VIEW seen AS SELECT id FROM outbox")
    with pytest.raises(ConfigurationError, match="table='seen' is a view, and rows are deleted or marked in a table"):
        database.writes("seen")
    with pytest.raises(ConfigurationError, match="no table or view of that name"):
        database.writes("nothing")


def test_a_statement_that_may_run_is_not_refused_and_rolled_back(legacy, database):
    assert database.refusal(sa.delete(OUTBOX)) is None
    assert left(legacy) == [1, 2, 3]


def test_a_statement_that_fails_is_refused_with_the_reason(database):
    refused = database.refusal(sa.delete(sa.table("nowhere")))
    assert refused
    assert SECRET not in str(database.refusal(sa.update(OUTBOX).values(body=sa.literal_column(f"'{SECRET}1'"))))
