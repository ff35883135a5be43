"""A table that was set back below its watermark, and what only looks like it."""

from __future__ import annotations

import logging

import pytest

from airflow_legacy_events.core.errors import ConfigurationError, WatermarkError
from airflow_legacy_events.core.model import Watermark
from tests.support.engines import EACH
from tests.support.legacy import reused_database
from tests.support.set_back import EMPTIED, IDS, LATER, REWRITTEN, Table


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute(f"CREATE TABLE t (id {IDS[found.dialect]}, at timestamp NOT NULL, body varchar(20))")
        yield found


@pytest.fixture
def table(legacy):
    made = Table(legacy)
    made.insert("a", "b", "c", "d", "e")
    made.run()
    return made


@pytest.fixture
def timed(legacy):
    made = Table(legacy, watermark_columns=("at",), key_columns=("id",))
    made.insert("a", "b", "c", day=1)
    made.run()
    return made


@pytest.fixture
def queried(legacy):
    sql = legacy.spelled("SELECT id, at, body FROM t WHERE body <> 'done'")
    made = Table(legacy, sql=sql, key_columns=("id",))
    made.insert("a", "b", "c", "d", "e")
    made.run()
    return made


# Ordinary operation


def test_a_queue_whose_consumer_empties_it_goes_on(table):
    table.legacy.execute("DELETE FROM t")
    assert table.run().table_reset is None
    table.insert("f", "g")
    assert table.run().events == 2
    assert table.bodies == ["a", "b", "c", "d", "e", "f", "g"]


def test_newest_rows_that_were_deleted_are_no_reset(table):
    table.legacy.execute("DELETE FROM t WHERE id > 3")
    assert table.run().events == 0
    table.insert("f")
    assert table.run().events == 1


def test_rows_that_leave_the_where_of_a_query_are_no_reset(queried):
    queried.legacy.execute("UPDATE t SET body = 'done' WHERE id > 1")
    assert queried.run().events == 0
    queried.legacy.execute("UPDATE t SET body = 'done'")
    assert queried.run().events == 0
    queried.insert("f")
    assert queried.run().events == 1


@pytest.mark.parametrize("gone", ["id = 3", "id > 0"])
def test_a_last_row_that_is_gone_is_told_by_the_reason(timed, caplog, gone):
    timed.legacy.execute(f"DELETE FROM t WHERE {gone}")
    for _ in range(2):
        with caplog.at_level(logging.WARNING):
            assert "the last delivered row is gone" in timed.run().completeness_reason
    assert caplog.text.count("the last delivered row is gone") == 1
    timed.insert("d", day=2)
    assert timed.run().events == 1
    assert "gone" not in timed.run().completeness_reason


def test_a_table_that_is_rewritten_goes_on(table, caplog):
    goes_on_though_rewritten(table, caplog)


def test_a_table_in_time_that_is_rewritten_goes_on(timed, caplog):
    goes_on_though_rewritten(timed, caplog)


def goes_on_though_rewritten(made, caplog):
    made.all(REWRITTEN[made.legacy.dialect])
    made.legacy.execute("ALTER TABLE t ADD more integer")
    made.legacy.execute("CREATE INDEX body_of ON t (body)")
    made.run()
    made.all(REWRITTEN[made.legacy.dialect])
    with caplog.at_level(logging.INFO):
        assert made.run().table_reset is None
    made.insert("f", day=2)
    assert made.run().events == 1
    assert made.run().events == 0


def test_a_table_swapped_for_one_with_the_same_rows_goes_on(table):
    legacy = table.legacy
    if legacy.dialect == "firebird":
        return
    legacy.execute(f"CREATE TABLE u (id {IDS[legacy.dialect]}, at timestamp NOT NULL, body varchar(20))")
    legacy.execute("INSERT INTO u (id, at, body) SELECT id, at, body FROM t")
    legacy.execute(f"INSERT INTO u (id, at, body) VALUES (6, '{LATER.format(1)}', 'f')")
    legacy.execute("ALTER TABLE t RENAME TO was")
    legacy.execute("ALTER TABLE u RENAME TO t")
    assert table.run().events == 1


@pytest.fixture
def returning(request):
    with reused_database(request, "sqlite") as found:
        found.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL, body varchar(20))")
        made = Table(found)
        made.insert(*"abcdefghijklmnopqrstuvwxyz")
        made.run()
        yield made


def test_ids_that_return_are_sent_as_a_new_generation(returning):
    returning.legacy.execute("DELETE FROM t WHERE id > 24")
    returning.insert("Y")
    assert returning.run().events == 1
    assert returning.sent[-1]["id"] == "25:g1"


@pytest.mark.parametrize("left", [0, 5])
def test_a_table_whose_ids_return_and_of_which_no_row_is_known_is_sent_again(returning, left):
    returning.legacy.execute(f"DELETE FROM t WHERE id > {left}")
    returning.insert("Y", "Z")
    report = returning.run()
    assert (report.events, report.table_reset["action"]) == (2 + left, "restart")
    assert returning.bodies[-2:] == ["Y", "Z"]
    assert returning.run().events == 0


def test_a_table_whose_ids_return_keeps_its_watermark_where_that_is_asked(returning):
    returning.legacy.execute("DELETE FROM t")
    returning.insert("Y", "Z")
    report = returning.run(on_reset="keep")
    assert (report.events, report.table_reset["action"]) == (0, "keep")


# Resets


@pytest.mark.parametrize("rows", [("x",), ("w", "x", "y", "z")])
def test_a_table_that_was_emptied_and_numbered_anew_fails(table, rows):
    table.all(EMPTIED[table.legacy.dialect])
    table.insert(*rows)
    before = table.deliveries.store.load(table.deliveries.name)
    with pytest.raises(
        WatermarkError, match=r"on_reset='restart'.*on_reset='keep'.*watermark rewind.*watermark forget"
    ):
        table.run()
    assert table.deliveries.store.load(table.deliveries.name) == before
    assert table.bodies == ["a", "b", "c", "d", "e"]


def test_a_table_that_was_emptied_and_has_overtaken_its_watermark_fails_or_is_told(table):
    table.all(EMPTIED[table.legacy.dialect])
    table.insert(*"uvwxyz123")
    if table.legacy.dialect == "postgresql":
        with pytest.raises(
            WatermarkError, match="exchanged, emptied or rewritten, and the rows that were delivered last"
        ):
            table.run()
    else:
        assert "the row that was delivered last is gone or another one" in table.run().completeness_reason


def test_a_table_that_was_made_anew_and_has_overtaken_its_watermark_fails(table):
    if table.legacy.dialect in ("firebird", "sqlite"):
        return  # nothing tells one table from another there
    table.wait_for_the_next_second()
    table.legacy.execute("DROP TABLE t")
    table.legacy.execute(f"CREATE TABLE t (id {IDS[table.legacy.dialect]}, at timestamp NOT NULL, body varchar(20))")
    table.insert(*"uvwxyz123")
    with pytest.raises(WatermarkError, match="exchanged, emptied or rewritten, and the rows that were delivered last"):
        table.run()


def test_a_table_that_was_set_back_is_sent_anew_as_a_new_generation(table, caplog):
    for generation, rows in enumerate((3, 2), 1):
        table.all(EMPTIED[table.legacy.dialect])
        table.insert(*(f"{generation} {at}" for at in range(rows)))
        with caplog.at_level(logging.WARNING):
            report = table.run(on_reset="restart")
        told = {"highest": [str(rows)], "watermark": [str(7 - 2 * generation)], "action": "restart"}
        assert (report.events, report.table_reset) == (rows, told)
        assert [event["id"] for event in table.sent[-rows:]] == [f"{1 + at}:g{generation}" for at in range(rows)]
        assert f"as generation {generation}" in caplog.text
    table.insert("z")
    assert table.run().events == 1
    assert table.sent[-1]["id"] == "3:g2"


def test_the_generation_outlives_a_query_that_begins_anew(table):
    table.all(EMPTIED[table.legacy.dialect])
    table.insert("x")
    table.run(on_reset="restart")
    if table.legacy.dialect == "firebird":
        return  # it calls the type of a column otherwise in a query
    table.run(on_query_change="reset", sql="SELECT id, at, body FROM t", key_columns=("id",))
    assert [event["id"].rsplit(":", 1)[-1] for event in table.sent[5:]] == ["g1", "g1"]


def test_a_table_that_is_emptied_and_stays_empty_begins_anew_with_its_next_rows(table):
    table.all(EMPTIED[table.legacy.dialect])
    table.run(on_reset="restart")
    table.insert("x")
    table.run(on_reset="restart")
    assert table.bodies == ["a", "b", "c", "d", "e", "x"]


def test_the_watermark_of_a_table_that_was_set_back_is_kept(table):
    table.all(EMPTIED[table.legacy.dialect])
    table.insert("x", "y")
    report = table.run(on_reset="keep")
    assert (report.events, report.table_reset["action"], report.table_reset["watermark"]) == (0, "keep", ["5"])
    table.insert("1", "2", "3", "4")
    table.run(on_reset="keep")
    assert table.bodies == ["a", "b", "c", "d", "e", "4"]


def test_times_that_were_shifted_back_are_a_reset(timed):
    timed.legacy.execute(f"UPDATE t SET at = '{LATER.format(1).replace('08', '06')}'")
    with pytest.raises(WatermarkError, match="has a lower time now"):
        timed.run()
    assert timed.run(on_reset="restart").events == 3
    assert [event["id"].rsplit(":", 1)[1] for event in timed.sent[-3:]] == ["g1"] * 3


def test_a_query_over_a_table_that_was_emptied_says_what_it_can_not_tell(queried):
    queried.all(EMPTIED[queried.legacy.dialect])
    queried.insert("x")
    assert "set back below its watermark can't be detected" in queried.run().completeness_reason


def test_a_sensor_sees_a_row_where_the_table_was_set_back(table):
    table.all(EMPTIED[table.legacy.dialect])
    table.insert("x")
    with table.legacy.source(watermark_columns=("id",)) as source:
        assert source.pending(table.deliveries.store.load(table.deliveries.name)).rows == 1


def test_a_watermark_above_the_clock_of_the_database_fails(timed):
    mark = timed.deliveries.store.load(timed.deliveries.name)
    timed.deliveries.store.save(
        timed.deliveries.name, Watermark(("2050-01-01 00:00:00", "9"), None, mark.facts), expected=mark
    )
    with pytest.raises(WatermarkError, match=r"2050-01-01 00:00:00 in UTC, and the database's clock shows 20.*rewind"):
        timed.run(on_reset="restart")


def test_a_full_load_has_no_reset(legacy):
    with pytest.raises(ConfigurationError, match="on_reset= was given"):
        Table(legacy, watermark_columns=()).run(on_reset="keep")


def test_a_watermark_without_the_facts_is_filled_in(table):
    name, store = table.deliveries.name, table.deliveries.store
    mark = store.load(name)
    dropped = {"object", "last", "order", "reached", "definition", "generation"}
    store.save(name, mark._replace(facts={k: v for k, v in mark.facts.items() if k not in dropped}), expected=mark)
    assert table.run().events == 0
    table.insert("f")
    assert table.run().events == 1
    assert "last" in store.load(name).facts
