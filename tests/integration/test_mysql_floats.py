"""FLOAT of MariaDB and MySQL: the fewest digits everywhere, and no row passed over or repeated."""

from __future__ import annotations

import json

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.model import Repeat, Window
from tests.support.engines import of
from tests.support.legacy import legacy_database
from tests.support.streams import Deliveries

WRITTEN = {
    "3.14": 3.14,
    "5.6": 5.6,
    "-0.1": -0.1,
    "30.12346": 30.12346,
    "1e-10": 1e-10,
    "16777216": 16777216,
    "1.17549e-38": 1.17549e-38,
    "3.40282e38": 3.40282e38,
    "1.4e-45": 1e-45,
    "0.333333333": 0.33333334,
    "NULL": None,
}


@pytest.fixture(params=of("mysql", also=("mysql-5.6",)))
def legacy(request):
    with legacy_database(request, request.param) as found:
        yield found


def stream(legacy, **options):
    table = None if "sql" in options else options.pop("table", "t")
    url = legacy.url.render_as_string(hide_password=False)
    return Deliveries(url, MemoryBroker(), "topic", table=table, options=options)


def events(run):
    return [json.loads(message.value) for message in run.broker.topic("topic")]


SHORT = "SELECT id, f FROM t"


@pytest.mark.parametrize("options", [{}, {"table": "v"}, {"sql": SHORT}], ids=["table", "view", "query"])
def test_a_float_is_sent_in_the_fewest_digits_that_give_it(legacy, options):
    legacy.execute("CREATE TABLE t (id int PRIMARY KEY, f float)")
    legacy.execute(f"CREATE VIEW v AS {SHORT}")
    for number, written in enumerate(WRITTEN):
        legacy.execute(f"INSERT INTO t VALUES ({number}, {written})")
    run = stream(legacy, watermark_columns=("id",), key_columns=("id",), **options)
    run.run()
    assert [event["data"]["f"] for event in events(run)] == list(WRITTEN.values())


def test_declared_digits_signs_and_padding_change_nothing_and_what_is_computed_stays_a_double(legacy):
    legacy.execute("SET sql_mode = ''")
    legacy.execute("CREATE TABLE t (id int PRIMARY KEY, a float(7, 2), b float unsigned, c float zerofill, d float)")
    legacy.execute("INSERT INTO t VALUES (1, 12345.67, 5.6, 0.7, -0.7)")
    query = "SELECT id, a, b, c, d + 0 AS e, MAX(d) AS f FROM t GROUP BY id, a, b, c, d"
    run = stream(legacy, sql=query, watermark_columns=("id",), key_columns=("id",))
    run.run()
    [event] = events(run)
    assert event["data"] == {"id": 1, "a": 12345.67, "b": 5.6, "c": 0.7, "e": -0.699999988079071, "f": -0.7}


def test_a_zero_keeps_the_sign_that_the_server_keeps(legacy):
    legacy.execute("CREATE TABLE t (id int PRIMARY KEY, f float)")
    legacy.execute("INSERT INTO t VALUES (1, -0e0)")
    run = stream(legacy, watermark_columns=("id",))
    run.run()
    [message] = run.broker.topic("topic")
    sign = "" if legacy.engine.name.startswith("mariadb") else "-"
    assert f'"f":{sign}0}}' in message.value


TIED = ((1, "3.14"), (2, "3.14"), (3, "3.14"), (4, "0.7"), (5, "0.7"), (6, "16777216"), (7, "-2.3"), (8, "1.4e-45"))
IN_ORDER = [7, 8, 4, 5, 1, 2, 3, 6]


@pytest.fixture
def tied(legacy):
    legacy.execute("CREATE TABLE t (id int PRIMARY KEY, f float NOT NULL, INDEX (f))")
    legacy.execute("CREATE VIEW v AS SELECT id, f FROM t")
    for row in TIED:
        legacy.execute("INSERT INTO t VALUES ({}, {})".format(*row))
    return legacy


@pytest.mark.parametrize(("batch_rows", "options"), [(1, {}), (3, {"table": "v"}), (1, {"sql": SHORT})])
def test_a_watermark_that_is_a_float_passes_over_no_tie_and_repeats_none(tied, batch_rows, options):
    run = stream(tied, watermark_columns=("f",), key_columns=("id",), **options)
    run.run(batch_rows=batch_rows, max_rows=4)
    run.run(batch_rows=batch_rows)
    run.run(batch_rows=batch_rows)
    assert [event["data"]["id"] for event in events(run)] == IN_ORDER
    assert run.store.load(run.name).values == ("16777216", "6")


def test_a_float_is_a_key(legacy):
    legacy.execute("CREATE TABLE t (f float PRIMARY KEY, at int NOT NULL)")
    for _, written in TIED[2:]:
        legacy.execute(f"INSERT IGNORE INTO t VALUES ({written}, 1)")
    run = stream(legacy, watermark_columns=("at",))
    run.run(batch_rows=1)
    run.run(batch_rows=1)
    keys = ["-2.3", "1e-45", "0.7", "3.14", "16777216"]
    assert [message.key for message in run.broker.topic("topic")] == keys
    assert run.store.load(run.name).values == ("1", "16777216")


def test_a_watermark_that_holds_the_double_goes_on_without_loss_and_repetition(tied):
    run = stream(tied, watermark_columns=("f",))
    run.run(max_rows=5)
    kept = run.store.load(run.name)
    assert kept.values == ("3.14", "1")
    older = kept._replace(values=("3.140000104904175", "1"))
    run.store.save(run.name, older, expected=kept)
    report = run.run(batch_rows=1)
    assert [event["data"]["id"] for event in events(run)] == IN_ORDER
    assert (report.rows, report.completeness_reason) == (3, run.run().completeness_reason)


def test_one_that_holds_the_double_of_the_newest_row_finds_nothing_new(tied):
    run = stream(tied, watermark_columns=("f",))
    tied.execute("DELETE FROM t WHERE id = 6")
    run.run()
    kept = run.store.load(run.name)
    run.store.save(run.name, kept._replace(values=("3.140000104904175", "3")), expected=kept)
    assert run.run().rows == 0
    tied.execute("INSERT INTO t VALUES (9, 3.14)")
    assert run.run().rows == 1
    assert run.store.load(run.name).values == ("3.14", "9")


def test_a_first_run_and_a_replay_begin_and_end_at_the_number_that_is_written(tied):
    run = stream(tied, watermark_columns=("f",), first_run=0.7)
    run.run(batch_rows=1)
    assert [event["data"]["id"] for event in events(run)] == [4, 5, 1, 2, 3, 6]
    again = stream(tied, watermark_columns=("f",))
    again.run(repeat=Repeat("replay", Window(None, "0.7", "3.14"), "progress"), batch_rows=1)
    assert [event["data"]["id"] for event in events(again)] == [4, 5]
