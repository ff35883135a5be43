"""What the log of MariaDB and MySQL does not hold is said, and made up for by reading the table again."""

from __future__ import annotations

import logging

import pytest

from airflow_legacy_events.core.errors import CompletenessError, ConfigurationError, SourceError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.ports import LogOptions
from airflow_legacy_events.sources.changelog import ChangeLogSource
from tests.support.binlogs import BINLOGGED, binlogged_database
from tests.support.crashes import STREAM, World
from tests.support.log_runs import rebuilt, run

ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, n int, note varchar(20))"
ROWS = f"INSERT INTO orders VALUES {', '.join(f'({n}, {n}, {chr(39)}note {n}{chr(39)})' for n in range(1, 51))}"
NEXT = "UPDATE orders SET n = 7 WHERE id = 3"


class Stream:
    """A stream of all tables of a database."""

    def __init__(self, logged):
        self.logged, self.world = logged, World()
        self.database = logged.legacy.url.database
        self.name = f"{self.database}.orders"
        self.anew = {"snapshot": [self.name]}
        self.named = f'{{"snapshot": ["{self.name}"]}}'

    def run(self, **options):
        self.source = ChangeLogSource(
            database=self.logged.legacy.database(60.0),
            options=LogOptions(STREAM.name, "dag"),
            stream=STREAM._replace(topic="cdc.{schema}.{table}"),
            source="legacy",
            **{"tables": [f"{self.database}.*"], "limits": Limits(batch_rows=20), **options},
        )
        events, _ = run(self.world, self.source)
        return events

    def leaving_out(self, *columns):
        return {"exclude_columns": {self.name: columns}}

    def execute(self, *statements):
        return self.logged.execute(*statements)

    def differs(self):
        """Whether the topic rebuilds another table than there is."""
        names = [str(row[0]) for row in self.execute("SHOW COLUMNS FROM orders")]
        rows = self.execute(f"SELECT {', '.join(names)} FROM orders")
        found = rebuilt(self.world, self.name).values()
        sent = (tuple(str(row.get(one)) for one in names) for row in found)
        return sorted(map(repr, sent)) != sorted(repr(tuple(map(str, row))) for row in rows)


@pytest.fixture(params=BINLOGGED)
def stream(request, caplog):
    caplog.set_level(logging.INFO)
    with binlogged_database(request, request.param, ORDERS, ROWS) as found:
        yield Stream(found)


def test_rows_that_a_column_changed_are_said_and_read_again(stream, caplog):
    stream.run()
    for change in (
        "ALTER TABLE orders ADD COLUMN size int DEFAULT 5",
        "ALTER TABLE orders ADD COLUMN width int NOT NULL",
        "ALTER TABLE orders MODIFY note varchar(9)",
        "ALTER TABLE orders MODIFY n decimal(9,2)",
        "ALTER TABLE orders ADD COLUMN double_n int GENERATED ALWAYS AS (n * 2) STORED",
    ):
        if "GENERATED" in change and (stream.logged.legacy.engine.name in ("mysql-5.6", "mariadb-11.8")):
            continue
        caplog.clear()
        stream.execute(change, NEXT, "UPDATE orders SET n = n + 1 WHERE id = 4")
        assert {one.op for one in stream.run()} == {"u"}
        assert stream.named in caplog.text, change
        assert stream.source.lowered()[0] == "best_effort"
        stream.run(**stream.anew)
        assert not stream.differs(), change
    assert stream.run(completeness="exact") == []


def test_a_change_that_no_row_shows_is_silent(stream):
    stream.run()
    for at, change in enumerate(
        (
            "ALTER TABLE orders ADD COLUMN size int",
            "ALTER TABLE orders MODIFY note varchar(30)",
            "ALTER TABLE orders MODIFY note text",
            "ALTER TABLE orders MODIFY n bigint",
            "ALTER TABLE orders ADD INDEX (n), COMMENT 'x'",
            "ALTER TABLE orders DROP COLUMN note",
            "ALTER TABLE orders ENGINE=InnoDB",
        )
    ):
        stream.execute(change, f"UPDATE orders SET n = {at + 100} WHERE id = 3")
        [event] = stream.run(completeness="exact")
        assert event.row["n"] == str(at + 100), change
        assert stream.source.lowered() is None
    assert not stream.differs()


def test_rows_that_a_column_changed_are_said_before_the_next_change(stream):
    stream.run()
    stream.execute("ALTER TABLE orders ADD COLUMN size int DEFAULT 5")
    with pytest.raises(CompletenessError, match="'size'") as caught:
        stream.run(completeness="exact")
    assert stream.named in str(caught.value)
    stream.run(completeness="exact", **stream.leaving_out("size"))


@pytest.mark.parametrize("names", [["note"], ["memo"], ["note", "memo"]])
def test_a_renamed_column_stays_left_out_by_either_name(stream, names):
    stream.run(**stream.leaving_out("note"))
    stream.execute(
        "INSERT INTO orders VALUES (60, 1, 'secret')",
        "ALTER TABLE orders CHANGE note memo varchar(20)",
        "INSERT INTO orders VALUES (61, 1, 'secret')",
    )
    sent = stream.run(**stream.leaving_out(*names))
    assert [one.row for one in sent] == [{"id": "60", "n": "1"}, {"id": "61", "n": "1"}]
    stream.run(**stream.leaving_out(*names), **stream.anew)
    stream.execute("INSERT INTO orders VALUES (62, 1, 'secret')")
    stream.run(**stream.leaving_out(*names))
    assert "secret" not in str(stream.world.topic)
    assert "note 1" not in str(stream.world.topic)


@pytest.mark.parametrize("given", ["changes", "snapshot"])
def test_a_renamed_column_stays_left_out_beside_a_new_one_of_its_name(stream, given):
    leaving_out = stream.leaving_out("note")
    stream.run(**leaving_out)
    stream.execute(
        "ALTER TABLE orders CHANGE note memo varchar(20)",
        "ALTER TABLE orders ADD COLUMN note varchar(20)",
        "INSERT INTO orders VALUES (60, 1, 'secret', 'secret')",
    )
    stream.run(**leaving_out, **(stream.anew if given == "snapshot" else {}))
    stream.execute("UPDATE orders SET n = 2 WHERE id = 60")
    assert [one.row for one in stream.run(**leaving_out)] == [{"id": "60", "n": "2"}]
    stream.run(**leaving_out, **stream.anew)
    assert "secret" not in str(stream.world.topic)
    assert "note 1" not in str(stream.world.topic)


def test_a_column_that_may_be_another_name_of_one_left_out_is_refused(stream):
    stream.run(**stream.leaving_out("note"))
    stream.execute("ALTER TABLE orders ADD memo varchar(20) FIRST, DROP note", "INSERT INTO orders VALUES ('s', 60, 1)")
    with pytest.raises(ConfigurationError, match="'note'"):
        stream.run(**stream.leaving_out("note"))
    assert [one.row for one in stream.run(**stream.leaving_out("memo"))] == [{"id": "60", "n": "1"}]


def test_a_truncated_table_is_passed_by_reading_it_again(stream):
    stream.run()
    stream.execute("TRUNCATE orders", "INSERT INTO orders VALUES (60, 1, 'x')")
    with pytest.raises(SourceError, match="truncated") as caught:
        stream.run()
    assert stream.named in str(caught.value)
    assert [one.op for one in stream.run(**stream.anew)] == ["t", "c", "r"]
    assert not stream.differs()


def test_a_table_that_is_dropped_and_made_again_is_emptied(stream):
    stream.run(on_truncate="event")
    stream.execute(
        "DROP TABLE orders", "CREATE TABLE orders (id int PRIMARY KEY, n int)", "INSERT INTO orders VALUES (1, 2)"
    )
    assert [one.op for one in stream.run(on_truncate="event")] == ["t", "c"]
    assert not stream.differs()


def test_a_swap_is_followed_and_said_until_the_table_is_read_again(stream, caplog):
    stream.run()
    stream.execute("CREATE TABLE ghost LIKE orders", "ALTER TABLE ghost ADD COLUMN extra int, MODIFY n bigint")
    stream.execute(
        "INSERT INTO ghost SELECT id, n, note, 1 FROM orders WHERE id < 50", "INSERT INTO orders VALUES (90, 1, 'a')"
    )
    stream.execute("RENAME TABLE orders TO former, ghost TO orders", "INSERT INTO orders VALUES (91, 2, 'b', 3)")
    sent = stream.run(tables=[stream.name])
    assert [(one.op, one.row["id"], one.row.get("extra")) for one in sent] == [("c", "90", None), ("c", "91", "3")]
    assert "renamed, or another table took its name" in caplog.text
    assert stream.named in caplog.text
    assert stream.source.lowered()[0] == "best_effort"
    stream.run(tables=[stream.name], **stream.anew)
    assert not stream.differs()
    assert stream.run(tables=[stream.name], completeness="exact") == []


def test_rows_changed_by_a_statement_are_an_error_until_the_table_is_read_again(stream):
    stream.run()
    with stream.logged.legacy.connect() as session:
        for one in ("SET SESSION binlog_format = 'STATEMENT'", "DELETE FROM orders WHERE id < 10"):
            session.execute(one)
    stream.execute(NEXT.replace("3", "33"))
    with pytest.raises(SourceError, match="SET GLOBAL binlog_format='ROW'") as caught:
        stream.run()
    assert stream.named in str(caught.value)
    sent = stream.run(**stream.anew)
    assert [one.op for one in sent] == ["u", "t", *"r" * 41]
    assert not stream.differs()


def test_a_key_that_was_moved_is_an_error_until_the_table_is_read_again(stream):
    stream.run()
    stream.execute("DELETE FROM orders WHERE id = 4", "ALTER TABLE orders DROP PRIMARY KEY, ADD PRIMARY KEY (n)")
    with pytest.raises(Exception, match="key") as caught:
        stream.run()
    assert stream.named in str(caught.value)
    stream.run(**stream.anew)
    assert not stream.differs()


def test_the_key_of_a_versioned_table_is_without_the_end_of_a_version(stream):
    if not stream.logged.legacy.engine.name.startswith("mariadb"):
        return
    stream.execute(
        "DROP TABLE orders",
        "CREATE TABLE orders (id int PRIMARY KEY, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START,"
        " e TIMESTAMP(6) GENERATED ALWAYS AS ROW END, n int, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING",
        "INSERT INTO orders (id, n) VALUES (1, 1), (2, 2)",
    )
    assert [(one.op, one.key) for one in stream.run()] == [("r", '["1"]'), ("r", '["2"]')]
    stream.execute(
        "UPDATE orders SET n = 5 WHERE id = 1", "DELETE FROM orders WHERE id = 2", "UPDATE orders SET id = 3"
    )
    sent = stream.run()
    assert [(one.op, one.key) for one in sent] == [("u", '["1"]'), ("d", '["2"]'), ("d", '["1"]'), ("c", '["3"]')]
    [(key, row)] = rebuilt(stream.world, stream.name).items()
    assert (key, row["n"]) == ('["3"]', "5")
    assert row["e"] >= "2038-01-19 03:14:07.999999+00"
