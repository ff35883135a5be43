"""What changed between two runs, the query or the columns, and what the user wants of that."""

from __future__ import annotations

import json
import logging

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.sql_first_rule import first_fingerprint
from tests.support.engines import EACH
from tests.support.legacy import reused_database
from tests.support.streams import Deliveries

QUERY = "SELECT id, at FROM t WHERE id < 100"
# What each calls the type `text` of its tests, and a short one: MySQL's results tell of no length.
TEXT = {"sqlite": "text", "postgresql": "text", "mysql": "text", "firebird": "varchar(300) character set utf8"}
SHORT_TEXT = {
    "sqlite": "varchar(9)",
    "postgresql": "varchar(9)",
    "mysql": "varchar",
    "firebird": "varchar(9) character set utf8",
}
OTHER = "SELECT id, at FROM t WHERE id < 200"


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id integer PRIMARY KEY, at integer NOT NULL, body text, more text)")
        found.execute("INSERT INTO t VALUES (1, 1, 'a', 'x'), (2, 2, 'b', 'y')")
        yield found


class Stream:
    """Runs of one stream through the relay, with its store."""

    def __init__(self, legacy, **options):
        self.broker, self.spelled = MemoryBroker(), legacy.spelled
        self.deliveries = Deliveries(
            url=legacy.url.render_as_string(hide_password=False), broker=self.broker, topic="topic", table=None
        )
        self.options = options

    def run(self, **options):
        """Deliver; return how many events."""
        options = {"watermark_columns": ("at",), **self.options, **options}
        if "sql" in options:
            options["sql"] = self.spelled(options["sql"])
        self.deliveries.table = options.pop("table", None)
        self.deliveries.options = options
        return self.deliveries.run().events

    @property
    def watermark(self):
        return self.deliveries.store.load(self.deliveries.name)


@pytest.fixture
def queries(legacy):
    return Stream(legacy, key_columns=("id",))


@pytest.fixture
def tables(legacy):
    return Stream(legacy, table="t")


def test_another_query_fails_before_reading_and_moves_nothing(queries):
    queries.run(sql=QUERY)
    before = queries.watermark
    with pytest.raises(WatermarkError, match=r"another query .* on_query_change='keep'.* on_query_change='reset'"):
        queries.run(sql=OTHER)
    assert queries.watermark == before


def test_another_table_is_another_query(legacy, tables):
    legacy.execute("CREATE TABLE u (id integer PRIMARY KEY, at integer NOT NULL)")
    tables.run()
    with pytest.raises(WatermarkError, match="another query or table"):
        tables.run(table="u")


def test_other_blanks_and_comments_are_no_other_query(queries):
    queries.run(sql=QUERY)
    assert queries.run(sql="-- all\nSELECT id,at\n  FROM t /* the table */\n WHERE id<100;") == 0


def test_a_template_whose_values_change_is_no_other_query(legacy, queries):
    written = "SELECT id, at FROM t WHERE id < {{ params.below }}"
    assert queries.run(sql="SELECT id, at FROM t WHERE id < 2", sql_as_written=written) == 1
    assert queries.run(sql="SELECT id, at FROM t WHERE id < 3", sql_as_written=written) == 1


def test_keep_goes_on_from_the_watermark_and_says_so_once(legacy, queries, caplog):
    queries.run(sql=QUERY)
    with caplog.at_level(logging.WARNING):
        assert queries.run(sql=OTHER, on_query_change="keep") == 0
    assert "the query or table changed" in caplog.text
    assert "continuing from the watermark" in caplog.text
    caplog.clear()
    legacy.execute("INSERT INTO t VALUES (150, 3, 'c', 'z')")
    with caplog.at_level(logging.WARNING):
        assert queries.run(sql=OTHER) == 1
    assert "changed" not in caplog.text


def test_reset_begins_anew_says_so_and_records_what_was(legacy, queries, caplog):
    queries.run(sql=QUERY)
    old = queries.watermark
    with caplog.at_level(logging.WARNING):
        assert queries.run(sql=OTHER, on_query_change="reset") == 2
    assert "starting over, as a first run" in caplog.text
    assert queries.watermark.facts["reset"] == {"query": old.facts["query"], "values": list(old.values)}
    assert queries.run(sql=OTHER, on_query_change="reset") == 0
    assert queries.run(sql=OTHER) == 0


def test_reset_honours_where_a_first_run_begins(queries):
    queries.run(sql=QUERY)
    assert queries.run(sql=OTHER, on_query_change="reset", first_run="2") == 1
    assert queries.run(sql=QUERY, on_query_change="reset", first_run="now") == 0


def test_a_full_load_after_a_reset_has_the_next_number(queries):
    queries.run(sql=QUERY, watermark_columns=())
    queries.run(sql=OTHER, watermark_columns=(), on_query_change="reset")
    assert queries.watermark.facts["load"] == {"number": 2, "done": True}


def test_a_pass_over_nulls_after_a_reset_has_the_next_number(legacy, queries):
    legacy.execute("CREATE TABLE n (id integer PRIMARY KEY, at integer)")
    legacy.execute("INSERT INTO n VALUES (1, NULL)")
    options = {"null_watermark": "first_run_only"}
    assert queries.run(sql="SELECT * FROM n", **options) == 1
    assert queries.run(sql="SELECT * FROM n WHERE id > 0", on_query_change="reset", **options) == 1
    assert queries.watermark.facts["nulls"] == {"number": 2, "done": True}


def test_a_new_and_a_dropped_column_are_told_once_and_taken(legacy, tables, caplog):
    tables.run()
    legacy.execute("ALTER TABLE t ADD COLUMN price numeric(9, 2)")
    legacy.execute("ALTER TABLE t DROP COLUMN body")
    with caplog.at_level(logging.WARNING):
        assert tables.run() == 0
    assert "the columns of table 't' changed since the last run" in caplog.text
    assert "'price' (" in caplog.text
    assert "is new" in caplog.text
    assert "'body' (" in caplog.text
    assert "is gone" in caplog.text
    caplog.clear()
    legacy.execute("INSERT INTO t VALUES (3, 3, 'z', 1.5)")
    with caplog.at_level(logging.WARNING):
        assert tables.run() == 1
    assert "changed" not in caplog.text
    assert '"data":{"id":3,"at":3,"more":"z","price":"1.5' in tables.broker.topic("topic")[-1].value


def test_a_renamed_column_is_one_that_went_and_one_that_came(legacy, tables, caplog):
    legacy.needs("RENAME COLUMN")
    tables.run()
    legacy.execute("ALTER TABLE t RENAME COLUMN body TO content")
    with caplog.at_level(logging.WARNING):
        tables.run()
    type_ = TEXT[legacy.dialect]
    assert f"'content' ({type_}) is new; 'body' ({type_}) is gone" in caplog.text.lower()


def test_a_schema_change_fails_where_the_user_wants_that(legacy, tables):
    tables.run()
    before = tables.watermark
    legacy.execute("ALTER TABLE t ADD COLUMN price integer")
    with pytest.raises(WatermarkError, match=r"'price' .* is new\. Nothing was read.*on_schema_change='evolve'"):
        tables.run(on_schema_change="fail")
    assert tables.watermark == before
    assert tables.run() == 0
    assert tables.run(on_schema_change="fail") == 0


def retype(legacy, column, type_):
    """PostgreSQL is told so; elsewhere it is made anew with its rows."""
    if legacy.dialect == "postgresql":
        legacy.execute(f"ALTER TABLE t ALTER COLUMN {column} TYPE {type_} USING {column}::{type_}")
        return
    columns = {"id": "integer", "at": "integer", "body": "text", "more": "text", column: type_}
    columns = {name: f"{one} NOT NULL" if name in ("id", "at") else one for name, one in columns.items()}
    listed = ", ".join(f"{name} {one}" for name, one in columns.items())
    rows = legacy.execute("SELECT id, at, body, more FROM t")
    legacy.execute("DROP TABLE t")
    legacy.execute(f"CREATE TABLE t ({listed}, PRIMARY KEY (id))")
    for row in rows:
        legacy.execute(f"INSERT INTO t VALUES ({', '.join(map(repr, row))})")


@pytest.mark.parametrize("column", ["id", "at"])
@pytest.mark.parametrize("policy", ["evolve", "fail"])
def test_another_type_of_a_watermark_or_key_column_always_fails(legacy, tables, column, policy):
    tables.run(on_schema_change=policy)
    before = tables.watermark
    retype(legacy, column, legacy.engine.key_text)
    with pytest.raises(
        WatermarkError, match=rf"column {column!r} is part of the watermark .* (?i:int.* (?:text|varchar.*)); nothing"
    ):
        tables.run(on_schema_change=policy)
    assert tables.watermark == before


def test_another_length_of_a_key_column_is_no_other_type(legacy):
    legacy.execute("CREATE TABLE v (code varchar(5) PRIMARY KEY, at integer NOT NULL)")
    legacy.execute("INSERT INTO v VALUES ('a', 1)")
    stream = Stream(legacy, table="v")
    stream.run()
    legacy.execute("DROP TABLE v")
    legacy.execute("CREATE TABLE v (code varchar(9) PRIMARY KEY, at integer NOT NULL)")
    legacy.execute("INSERT INTO v VALUES ('a', 1), ('b', 2)")
    assert stream.run() == 1


def test_another_type_of_a_data_column_is_told(legacy, tables, caplog):
    tables.run()
    retype(legacy, "body", "varchar(9)")
    with caplog.at_level(logging.WARNING):
        assert tables.run() == 0
    assert f"'body' was {TEXT[legacy.dialect]}, is {SHORT_TEXT[legacy.dialect]}" in caplog.text.lower()


EXECUTED = "SELECT id, at FROM t /*! WHERE id < 100 */", "SELECT id, at FROM t /*M! WHERE id < 100 */"


@pytest.mark.parametrize("query", EXECUTED)
def test_a_condition_that_looks_like_a_comment_is_part_of_the_query_where_it_may_be_executed(legacy, queries, query):
    queries.run(sql=query)
    other = query.replace("100", "200")
    if legacy.dialect == "mysql":
        with pytest.raises(WatermarkError, match=r"another query or table"):
            queries.run(sql=other)
    else:
        assert queries.run(sql=other) == 0


def test_rows_that_a_condition_in_an_executed_comment_leaves_out_are_not_sent(legacy, queries):
    assert queries.run(sql="SELECT id, at FROM t /*!50101 WHERE id < 2 */") == (1 if legacy.dialect == "mysql" else 2)


def by_the_first_rule(stream, query):
    store, name = stream.deliveries.store, stream.deliveries.name
    content = json.loads(store.texts[name])
    content["facts"]["query"] = first_fingerprint(query)
    store.texts[name] = json.dumps(content)


@pytest.mark.parametrize("query", [QUERY, EXECUTED[0]])
def test_a_query_is_known_by_the_fingerprint_of_an_earlier_release(queries, query):
    queries.run(sql=query)
    by_the_first_rule(queries, queries.spelled(query))
    assert queries.run(sql=query) == 0
    with pytest.raises(WatermarkError, match=r"another query or table"):
        queries.run(sql=query.replace("SELECT id", "SELECT id, id AS other"))


def test_a_table_is_known_by_the_fingerprint_of_an_earlier_release(tables):
    tables.run()
    by_the_first_rule(tables, "t")
    assert tables.run() == 0
