"""What PostgreSQL's log does not hold is said, and made up for by reading the table anew."""

from __future__ import annotations

import logging

import pytest

from airflow_legacy_events.core.errors import CompletenessError, SourceError
from airflow_legacy_events.core.limits import Limits
from tests.support.crashes import World
from tests.support.engines import of
from tests.support.log_runs import logged_source, rebuilt, run
from tests.support.slots import logged_database

ORDERS = "CREATE TABLE orders (id integer PRIMARY KEY, n integer, note varchar(20))"
ROWS = "INSERT INTO orders SELECT n, n, 'note ' || n FROM generate_series(1, 50) AS n"
ANEW = {"snapshot": ["public.orders"]}
NAMED = '{"snapshot": ["public.orders"]}'


class Stream:
    def __init__(self, logged):
        self.logged, self.world = logged, World()

    def run(self, **options):
        events, process = run(self.world, logged_source(self.logged, **{"limits": Limits(batch_rows=20), **options}))
        self.source = process.inner
        return events

    def execute(self, *statements):
        return self.logged.execute(*statements)

    def differs(self, *columns, table="orders"):
        """Whether the topic rebuilds another table than there is."""
        rows = self.execute(f"SELECT {', '.join(columns)} FROM {table}")
        found = rebuilt(self.world, f"public.{table}").values()
        sent = (tuple(str(row.get(one)) for one in columns) for row in found)
        return sorted(map(repr, sent)) != sorted(repr(tuple(map(str, row))) for row in rows)


@pytest.fixture(params=of("postgresql"))
def stream(request, caplog):
    caplog.set_level(logging.INFO)
    with logged_database(request, request.param, ORDERS, ROWS) as found:
        yield Stream(found)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE orders ADD COLUMN size integer DEFAULT 5",
        "ALTER TABLE orders ADD COLUMN size integer NOT NULL DEFAULT 5",
        "ALTER TABLE orders ADD COLUMN size double precision DEFAULT random()",
        "ALTER TABLE orders ALTER COLUMN n TYPE bigint USING n * 2",
        "ALTER TABLE orders ALTER COLUMN note TYPE varchar(6) USING left(note, 6)",
    ],
)
def test_rows_that_a_column_changed_are_said_and_read_anew(stream, caplog, change):
    stream.run()
    stream.execute(change, "UPDATE orders SET n = 7 WHERE id = 3")
    [event] = stream.run()
    assert event.op == "u"
    assert NAMED in caplog.text
    assert stream.source.lowered()[0] == "best_effort"
    columns = [
        name
        for (name,) in stream.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 0"
        )
    ]
    assert stream.differs(*columns)
    assert len(stream.run(**ANEW)) == 50
    assert not stream.differs(*columns)
    assert stream.run(completeness="exact") == []


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE orders ADD COLUMN size integer",
        "ALTER TABLE orders ALTER COLUMN note TYPE varchar(30)",
        "ALTER TABLE orders ALTER COLUMN note TYPE text",
        "ALTER TABLE orders ADD CHECK (n > -5)",
        "ALTER TABLE orders DROP COLUMN note",
        "VACUUM FULL orders",
    ],
)
def test_a_change_that_no_row_shows_is_silent(stream, change):
    stream.run()
    stream.execute(change, "UPDATE orders SET n = 7 WHERE id = 3")
    [event] = stream.run(completeness="exact")
    assert event.row["n"] == "7"
    assert stream.source.lowered() is None


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ("ALTER TABLE orders ADD COLUMN size integer DEFAULT 5", "size"),
        ("ALTER TABLE orders ALTER COLUMN n TYPE bigint USING n * 2", "n"),
    ],
)
def test_rows_that_a_column_changed_are_said_before_the_next_change(stream, change, column):
    stream.run()
    stream.execute(change)
    with pytest.raises(CompletenessError, match=f"'{column}'") as caught:
        stream.run(completeness="exact")
    assert NAMED in str(caught.value)
    stream.run(completeness="exact", exclude_columns={"public.orders": [column]})


@pytest.mark.parametrize("names", [["note"], ["memo"], ["note", "memo"]])
def test_a_renamed_column_stays_left_out_by_either_name(stream, names):
    stream.run(exclude_columns={"public.orders": ["note"]})
    stream.execute(
        "INSERT INTO orders VALUES (60, 1, 'secret')",
        "ALTER TABLE orders RENAME COLUMN note TO memo",
        "INSERT INTO orders VALUES (61, 1, 'secret')",
    )
    sent = stream.run(exclude_columns={"public.orders": names})
    assert [one.row for one in sent] == [{"id": "60", "n": "1"}, {"id": "61", "n": "1"}]
    stream.run(exclude_columns={"public.orders": names}, **ANEW)
    assert "secret" not in str(stream.world.topic)
    assert "note 1" not in str(stream.world.topic)


def test_a_truncated_table_is_passed_by_reading_it_anew(stream):
    stream.run()
    stream.execute("TRUNCATE orders", "INSERT INTO orders VALUES (60, 1, 'x')")
    with pytest.raises(SourceError, match="truncated") as caught:
        stream.run()
    assert NAMED in str(caught.value)
    assert [one.op for one in stream.run(**ANEW)] == ["t", "c", "r"]
    assert not stream.differs("id", "n", "note")


def test_a_key_that_was_moved_is_an_error_until_the_table_is_read_anew(stream):
    stream.run()
    stream.execute(
        "DELETE FROM orders WHERE id = 4",
        "ALTER TABLE orders DROP CONSTRAINT orders_pkey",
        "ALTER TABLE orders ADD PRIMARY KEY (n)",
        "DELETE FROM orders WHERE n = 5",
    )
    with pytest.raises(Exception, match="key") as caught:
        stream.run()
    assert NAMED in str(caught.value)
    stream.run(**ANEW)
    assert not stream.differs("id", "n", "note")


@pytest.mark.parametrize("leg", [0.0, 300.0])
def test_a_table_that_joins_beside_an_open_writer_loses_nothing(stream, leg):
    stream.run(tables=["public.orders"])
    stream.execute("CREATE TABLE later (id integer PRIMARY KEY, v text)")
    stream.execute("INSERT INTO later SELECT n, 'v' FROM generate_series(1, 70) AS n")
    stream.run(leg_seconds=leg)
    stream.execute("DELETE FROM later WHERE id < 10", "UPDATE later SET v = 'w' WHERE id > 60")
    stream.run()
    assert not stream.differs("id", "v", table="later")


def test_partitions_are_their_table(stream):
    stream.execute(
        "CREATE TABLE days (day integer, id integer, v text, PRIMARY KEY (day, id)) PARTITION BY RANGE (day)",
        "CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM (10) TO (20)",
        "INSERT INTO days SELECT n, n, 'v' FROM generate_series(0, 19) AS n",
    )
    stream.run(on_truncate="event", leg_seconds=0.0)
    stream.execute("UPDATE days SET day = 15 WHERE id = 3", "TRUNCATE days_1", "INSERT INTO days VALUES (1, 1, 'w')")
    sent = stream.run(on_truncate="event")
    assert [one.op for one in sent][:4] == ["d", "c", "t", "c"]
    assert not stream.differs("day", "id", "v", table="days")
    stream.execute(
        "CREATE TABLE days_3 (day integer, id integer, v text, PRIMARY KEY (day, id))",
        "INSERT INTO days_3 VALUES (25, 25, 'filled')",
        "ALTER TABLE days ATTACH PARTITION days_3 FOR VALUES FROM (20) TO (30)",
    )
    assert stream.run() == []
    assert '{"snapshot": ["public.days"]}' in stream.source.lowered()[1]
    stream.run(snapshot=["public.days"])
    assert not stream.differs("day", "id", "v", table="days")
