"""What becomes of confirmed rows, on every database: deleted or marked, and only those that are as they were read."""

from __future__ import annotations

import datetime as dt
import logging

import pytest

from airflow_legacy_events.core.errors import ConfigurationError, SourceError
from tests.support import outbox_tables
from tests.support.engines import EACH, of
from tests.support.legacy import reused_database
from tests.support.outbox_tables import BOOLEAN, LOG, MOMENT, create, drain, insert, left, numbers

MARK = {"after_publish": "mark"}


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


@pytest.fixture
def logged(caplog):
    caplog.set_level(logging.INFO, logger=LOG)
    return caplog


def only(*dialects, also=()):
    """The tests of these dialects alone."""
    return pytest.mark.parametrize("legacy", of(*dialects, also=also), indirect=True)


def away_from_utc(legacy):
    """Let sessions that begin have another zone than UTC."""
    if legacy.dialect == "postgresql":
        legacy.execute(f"ALTER DATABASE {legacy.url.database} SET timezone = 'Asia/Tokyo'")
    elif legacy.dialect == "mysql":
        legacy.begin_with(time_zone="'+09:00'")


def utc(value):
    found = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def near_now(value):
    """Whether it is a time in UTC of these minutes, and in no other zone."""
    return abs(dt.datetime.now(dt.UTC) - utc(value)) < dt.timedelta(minutes=30)


@pytest.mark.parametrize("zoned", [False, True])
def test_a_time_that_was_null_becomes_the_time_in_utc(legacy, zoned):
    away_from_utc(legacy)
    naive = {"postgresql": "timestamp", "mysql": "datetime"}.get(legacy.dialect, MOMENT[legacy.dialect])
    aware = {"postgresql": "timestamptz", "mysql": "timestamp NULL"}.get(legacy.dialect, naive)
    create(legacy, f"sent {aware if zoned else naive}")
    insert(legacy, {}, {"sent": "2020-01-01 00:00:00"}, {})
    if zoned and legacy.dialect == "mysql":
        legacy.execute("SET time_zone = '+00:00'")

    rows, mark = drain(legacy, **MARK, mark_column="sent")
    again, _ = drain(legacy, mark, **MARK, mark_column="sent")

    assert (numbers(rows), again) == ([1, 3], [])
    found = dict(legacy.execute("SELECT id, sent FROM outbox"))
    assert utc(found[2]).year in (2019, 2020)
    assert near_now(found[1])
    assert near_now(found[3])


MARKS = [
    ("boolean", "false", "true", None),
    ("integer", "0", "2", (0, 2)),
    ("varchar(9)", "'NEW'", "'SENT'", ("NEW", "SENT")),
]


@pytest.mark.parametrize(("type_", "open_", "done", "values"), MARKS)
def test_another_mark_has_two_values(legacy, type_, open_, done, values):
    create(legacy, f"state {BOOLEAN[legacy.dialect] if type_ == 'boolean' else type_}")
    for state in (open_, done, open_, "NULL", open_):
        legacy.execute(
            f"INSERT INTO outbox (aggregatetype, aggregateid, payload, state) VALUES ('a', 'b', 'c', {state})"
        )
    marks = {**MARK, "mark_column": "state", "mark_values": values}

    rows, mark = drain(legacy, batch_rows=2, **marks)
    again, _ = drain(legacy, mark, **marks)

    open_ids = [1, 3, 4, 5] if type_ == "boolean" else [1, 3, 5]
    assert (numbers(rows), again) == (open_ids, [])
    assert left(legacy, where=f"state = {done}") == sorted({2, *open_ids})


@pytest.mark.parametrize(
    ("column", "type_", "values", "fault"),
    [
        ("state", "integer", None, "give both with mark_values"),
        ("state", "varchar(9)", None, "give both with mark_values"),
        ("state", "integer", ("a", "b"), "can't have"),
        ("state", "MOMENT NOT NULL", None, "is NOT NULL, so no row could be open"),
        ("state", "MOMENT", (1, 2), "is for a column of integers or texts"),
        ("nothing", "integer", None, "which does not exist"),
    ],
)
def test_a_mark_that_tells_nothing_is_refused(legacy, column, type_, values, fault):
    create(legacy, f"state {type_.replace('MOMENT', MOMENT[legacy.dialect])}")
    with (
        outbox_tables.source(legacy, **MARK, mark_column=column, mark_values=values) as one,
        pytest.raises(ConfigurationError, match=fault),
    ):
        one.open(None)


@pytest.mark.parametrize("mode", [{}, MARK], ids=["delete", "mark"])
def test_a_changed_row_stays_and_one_that_somebody_took_is_told(legacy, logged, mode):
    create(legacy, f"published_at {MOMENT[legacy.dialect]}")
    insert(legacy, *({"id": number} for number in range(1, 7)))
    with outbox_tables.source(legacy, **mode) as one, outbox_tables.lease(legacy) as held:
        _, batches = one.open(None)
        [batch] = batches
        legacy.execute("UPDATE outbox SET payload = 'another' WHERE id IN (2, 3)")
        legacy.execute("DELETE FROM outbox WHERE id = 4")
        legacy.execute("DELETE FROM outbox WHERE id = 6")
        insert(legacy, {"id": 6, "payload": "a row that was never sent"})
        one.acknowledge(batch.after.receipt, held)
        told = [record.getMessage().partition(":")[0].partition(";")[0] for record in logged.records]
        logged.clear()
        one.acknowledge(batch.after.receipt, held, again=True)

    open_ = left(legacy, where="published_at IS NULL")
    assert open_ == [2, 3, 6]
    assert len(left(legacy)) == (5 if mode else 3)
    assert told[-2:] == [
        "3 rows were changed after they were read",
        "1 rows of table 'outbox' were deleted or marked by another process while they were published",
    ]
    assert not logged.records
    assert numbers(drain(legacy, **mode)[0]) == [2, 3, 6]


def test_more_rows_than_a_transaction_takes_are_acknowledged_one_after_the_other(legacy):
    create(legacy)
    for first in range(0, 2_100, 150):
        rows = ", ".join(f"('a', '{number}', '{number}')" for number in range(first, first + 150))
        legacy.execute(f"INSERT INTO outbox (aggregatetype, aggregateid, payload) VALUES {rows}")

    rows, mark = drain(legacy, batch_rows=2_050)

    assert len(rows) == 2_100
    assert left(legacy) == []
    assert len(mark.receipt) == 1


class Watched:
    """A lease that notes how many characters its answers hold."""

    def __init__(self, lease):
        self.lease, self.held = lease, []

    def execute(self, statements):
        answers = self.lease.execute(statements)
        self.held.append(sum(len(str(value)) for one in answers for row in one.rows for value in row))
        return answers


@only("sqlite", "firebird")
def test_wide_rows_are_not_held_at_once_to_be_compared(legacy):
    create(legacy)
    insert(legacy, *({"payload": f"{number}" * 300_000} for number in range(90)))
    with outbox_tables.source(legacy) as one, outbox_tables.lease(legacy) as held:
        receipts = [batch.after.receipt for batch in one.open(None).batches]
        watched = Watched(held)
        one.acknowledge(tuple(part for receipt in receipts for part in receipt), watched)

    assert left(legacy) == []
    assert max(watched.held) < 20e6
    assert len(watched.held) < 20


def test_marked_rows_of_another_mark_go_by_the_time_of_the_row(legacy):
    create(legacy, "state integer", "at_ms bigint", "code varchar(9)")
    now = int(dt.datetime.now(dt.UTC).timestamp() * 1000)
    insert(legacy, *({"state": state, "at_ms": now - days * 86_400_000} for state, days in ((1, 9), (0, 9), (1, 1))))
    insert(legacy, {"state": 1, "at_ms": now})
    options = {**MARK, "mark_column": "state", "mark_values": (0, 1), "retention": dt.timedelta(days=7)}
    with outbox_tables.source(legacy, **options, columns={"timestamp": "at_ms"}) as one:
        one.open(None)
        with outbox_tables.lease(legacy) as held:
            assert one.finish(held, lambda: False).oldest_seconds > 8 * 86_400
    assert left(legacy) == [2, 3, 4]
    with (
        outbox_tables.source(legacy, **options, columns={"timestamp": None}) as one,
        pytest.raises(ConfigurationError, match="retention= was given, but neither"),
    ):
        one.open(None)


@only("mysql", also=("mysql-5.6",))
def test_columns_that_an_update_would_touch_keep_their_values(legacy):
    """On old servers the first TIMESTAMP of a table is one of them without saying so."""
    stamp = "timestamp NOT NULL" if legacy.engine.old else "timestamp NOT NULL DEFAULT now() ON UPDATE now()"
    legacy.execute(
        "CREATE TABLE outbox (id bigint PRIMARY KEY AUTO_INCREMENT, aggregatetype varchar(9), aggregateid varchar(9),"
        f" type varchar(9), payload longtext, created_at {stamp}, changed datetime NULL ON UPDATE CURRENT_TIMESTAMP,"
        " published_at datetime NULL)"
    )
    insert(legacy, {"created_at": "2026-11-01 08:00:00"})

    assert numbers(drain(legacy, **MARK)[0]) == [1]

    [(created, changed, published)] = legacy.execute("SELECT created_at, changed, published_at FROM outbox")
    assert str(created) == "2026-11-01 08:00:00"
    assert changed is None
    assert published is not None


KEEPING = {
    "a policy": "ALTER TABLE outbox ENABLE ROW LEVEL SECURITY; CREATE POLICY seen ON outbox FOR SELECT USING (true)",
    "a trigger": "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
    " CREATE TRIGGER guard BEFORE DELETE OR UPDATE ON outbox FOR EACH ROW EXECUTE FUNCTION keep()",
}


@only("postgresql")
@pytest.mark.parametrize("mode", [{}, MARK], ids=["delete", "mark"])
@pytest.mark.parametrize("why", KEEPING)
def test_rows_that_the_database_keeps_end_the_run_at_the_first_batch(legacy, reader, mode, why):
    create(legacy, "published_at timestamptz")
    insert(legacy, {}, {}, {})
    legacy.execute(KEEPING[why])
    legacy.execute(f"GRANT SELECT, DELETE, UPDATE ON outbox TO {reader}")
    legacy.url = legacy.url.set(username=reader)

    with pytest.raises(SourceError, match=r"2 published rows of table 'outbox' should have been") as kept:
        drain(legacy, batch_rows=2, row_security="apply", **mode)

    assert ("row-level security: seen" if why == "a policy" else "trigger guard") in str(kept.value).partition(
        "On this table:"
    )[2]
    assert kept.value.retry_helps is False
    assert left(legacy, where="published_at IS NULL") == [1, 2, 3]


@only("sqlite")
def test_a_trigger_of_sqlite_that_ignores_the_delete_ends_the_run_too(legacy):
    create(legacy)
    insert(legacy, {})
    legacy.execute("CREATE TRIGGER guard BEFORE DELETE ON outbox BEGIN SELECT RAISE(IGNORE); END")
    with pytest.raises(SourceError, match=r"1 published rows .* On this table: trigger guard on DELETE"):
        drain(legacy)


@pytest.fixture
def reader(legacy):
    name = f"drain_{legacy.url.database}"
    legacy.execute(f"CREATE ROLE {name} LOGIN; GRANT USAGE ON SCHEMA public TO {name}")
    yield name
    legacy.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


@only("postgresql", also=("postgresql-15",))
def test_to_read_and_to_delete_is_all_that_a_role_needs(legacy, reader):
    create(legacy, "published_at timestamptz")
    insert(legacy, {}, {})
    legacy.execute(f"GRANT SELECT, DELETE ON outbox TO {reader}")
    owner, legacy.url = legacy.url, legacy.url.set(username=reader)
    with outbox_tables.source(legacy, **MARK) as one, pytest.raises(ConfigurationError, match=r"UPDATE.*is refused"):
        one.open(None)
    rows, mark = drain(legacy)
    assert (numbers(rows), left(legacy)) == ([1, 2], [])
    legacy.url = owner
    legacy.execute(f"REVOKE ALL ON outbox FROM {reader}; GRANT SELECT, UPDATE (published_at) ON outbox TO {reader}")
    insert(legacy, {})
    legacy.url = legacy.url.set(username=reader)
    assert numbers(drain(legacy, mark, **MARK)[0]) == [3]
    assert left(legacy, where="published_at IS NOT NULL") == [3]


def test_marked_rows_go_when_they_are_old_enough(legacy):
    create(legacy, f"published_at {MOMENT[legacy.dialect]}", at=None)
    now = dt.datetime.now(dt.UTC)
    times = [now - dt.timedelta(days=days) for days in (9, 8, 1)]
    insert(legacy, *({"published_at": f"{one:%Y-%m-%d %H:%M:%S}"} for one in times), {}, {})
    insert(legacy, {"published_at": f"{times[0]:%Y-%m-%d %H:%M:%S}"})

    with (
        outbox_tables.source(legacy, **MARK, retention=dt.timedelta(days=7)) as one,
        outbox_tables.lease(legacy) as held,
    ):
        one.open(None)
        backlog = one.finish(held, lambda: False)
        one.finish(held, lambda: True)

    assert left(legacy) == [3, 4, 5, 6]
    assert backlog.rows == 2
