"""What only PostgreSQL has: ways to write a text, kinds of tables, orders; and how a query is pushed down."""

from __future__ import annotations

import json
import traceback

import psycopg
import pytest

from airflow_legacy_events.core.errors import ConfigurationError, EnvelopeError, SourceError
from airflow_legacy_events.databases.postgres import PostgresDatabase
from tests.support.engines import of
from tests.support.legacy import legacy_database, plain


@pytest.fixture(params=of("postgresql"))
def legacy(request):
    with legacy_database(request, request.param) as found:
        yield found


def read(legacy, at=None, **options):
    with legacy.source(**options) as source:
        horizon, reading = source.open(at)
        batches = list(reading)
    rows = [row for batch in batches for row in batch.rows]
    return rows, batches[-1].after._replace(facts={**horizon.facts, **batches[-1].after.facts}) if batches else at


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("$$a;:b%s'$$", "a;:b%s'"),
        ("$tag$ $$ ;' $tag$", " $$ ;' "),
        (r"E'it\'s; \x41'", "it's; A"),
        ("U&'\\0041'", "A"),
        ("'a'\n'b'", "ab"),
        ("(doc ? 'a')::text", "true"),
        ("(doc ?| array['x', 'a'])::text", "true"),
        ("(doc @> '{\"a\": 1}')::text", "true"),
        ("doc ->> 'a'", "1"),
        ("doc #>> '{b,0}'", "2"),
        ("(id % 2)::text", "1"),
        ("at::date::text", "2026-01-01"),
        ("(ARRAY['x:y', 'z'])[1:1]::text", "{x:y}"),
        ("to_char(at, 'HH24:MI')", "10:20"),
    ],
)
def test_any_way_to_write_a_query_is_understood(legacy, written, value):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp NOT NULL, doc jsonb)")
    legacy.execute("""INSERT INTO t VALUES (1, '2026-01-01 10:20', '{"a": 1, "b": [2]}')""")
    rows, _ = read(legacy, sql=f"SELECT id, at, {written} AS v FROM t;", watermark_columns=("at",), key_columns=("id",))
    assert [row[2] for row in rows] == [value]


@pytest.mark.parametrize(
    "statement",
    [
        "WITH gone AS (DELETE FROM t RETURNING id, at) SELECT * FROM gone",
        "SELECT nextval('s') AS id, 1 AS at",
        "SELECT id, at FROM t FOR UPDATE",
        "SELECT id, at INTO u FROM t",
        "COPY t TO STDOUT",
        "CALL p()",
        "SELECT set_config('default_transaction_read_only', 'off', false) AS id, 1 AS at; DELETE FROM t",
    ],
)
def test_nothing_that_writes_is_executed(legacy, statement):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at integer NOT NULL)")
    legacy.execute("CREATE SEQUENCE s")
    legacy.execute("INSERT INTO t VALUES (1, 1)")
    with pytest.raises(Exception, match=r"connection 'crm' |sql= "):
        read(legacy, sql=statement, watermark_columns=("at",), key_columns=("id",))
    assert legacy.execute("SELECT id FROM t") == [(1,)]
    assert legacy.execute("SELECT last_value, is_called FROM s") == [(1, False)]


def plan_of(legacy, statement, parameters):
    with psycopg.connect(plain(legacy.url), autocommit=True, cursor_factory=psycopg.RawCursor) as connection:
        [(plan,)] = connection.execute(f"EXPLAIN (FORMAT JSON) {statement}".encode(), parameters).fetchall()
    return json.dumps(plan)


def test_the_bounds_and_the_order_of_a_page_are_pushed_down_into_a_query(legacy, monkeypatch):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at integer NOT NULL, status text)")
    legacy.execute("INSERT INTO t SELECT n, n / 10, 'paid' FROM generate_series(1, 20000) AS n")
    legacy.execute("CREATE INDEX t_at_id ON t (at, id)")
    legacy.execute("ANALYZE t")
    seen = []
    compiled = PostgresDatabase._compiled

    def spied(self, query):
        seen.append(compiled(self, query))
        return seen[-1]

    monkeypatch.setattr(PostgresDatabase, "_compiled", spied)
    query = "-- all that was paid\nSELECT id, at, upper(status) AS status FROM t WHERE status = 'paid';"
    read(legacy, sql=query, watermark_columns=("at",), key_columns=("id",), batch_rows=5000)
    page, parameters = next(one for one in reversed(seen) if 5000 in one[1])
    assert "paid" in page
    assert {"1500", "15000", "2000", "20000", 5000} <= set(parameters)
    plan = plan_of(legacy, page, parameters)
    assert '"Index Name": "t_at_id"' in plan
    assert "Index Cond" in plan
    assert '"Node Type": "Sort"' not in plan


def test_a_materialized_view_a_partitioned_table_and_a_foreign_schema_are_tables(legacy):
    legacy.execute('CREATE SCHEMA "Old Shop"')
    legacy.execute('CREATE TABLE "Old Shop"."Sales.2026" (id integer PRIMARY KEY, at integer NOT NULL)')
    legacy.execute('INSERT INTO "Old Shop"."Sales.2026" VALUES (1, 2), (2, 1)')
    for table in ('"Old Shop"."Sales.2026"', 'Old Shop."Sales.2026"'):
        assert read(legacy, table=table, watermark_columns=("at",))[0] == [("2", "1"), ("1", "2")]

    legacy.execute('CREATE MATERIALIZED VIEW m AS SELECT * FROM "Old Shop"."Sales.2026"')
    legacy.execute("CREATE UNIQUE INDEX m_id ON m (id)")
    options = {"table": "m", "watermark_columns": ("at",)}
    assert read(legacy, key_columns=("id",), **options)[0] == [("2", "1"), ("1", "2")]

    legacy.execute("CREATE TABLE p (id integer, at integer NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)")
    legacy.execute("CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)")
    legacy.execute("CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)")
    legacy.execute("INSERT INTO p VALUES (1, 15), (2, 5), (3, 15)")
    assert read(legacy, table="p", watermark_columns=("at",), batch_rows=1)[0] == [("2", "5"), ("1", "15"), ("3", "15")]


@pytest.mark.parametrize("name", ["numbers", "t_pkey", "pair"], ids=["sequence", "index", "type"])
def test_what_holds_no_rows_of_its_own_is_no_table(legacy, name):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    legacy.execute("CREATE SEQUENCE numbers")
    legacy.execute("CREATE TYPE pair AS (id integer, at integer)")
    with pytest.raises(ConfigurationError, match=f"table '{name}' was given, but there is no table or view"):
        read(legacy, table=name, watermark_columns=("id",))


def test_an_index_counts_where_it_gives_an_order_of_columns_for_every_row(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at integer NOT NULL, code text UNIQUE, dropped text)")
    legacy.execute("ALTER TABLE t DROP COLUMN dropped")
    for index in ("(at) INCLUDE (code)", "USING hash (code)", "USING brin (at, id)", "(id, at) WHERE id > 0"):
        legacy.execute(f"CREATE INDEX ON t {index}")
    legacy.execute("CREATE INDEX ON t (lower(code), at)")
    database = legacy.database()

    found = database.reflect("t", None)

    assert (found.primary_key, found.unique) == (("id",), (("code",),))
    assert sorted(found.indexes) == [("at",), ("code",), ("id",)]
    assert {column.name: column.nullable for column in found.columns} == {"id": False, "at": False, "code": True}
    database.close()


@pytest.mark.parametrize("type_", ["json", "xml", "point", "polygon"])
def test_a_type_without_an_order_is_no_watermark(legacy, type_):
    legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, v {type_} NOT NULL)")
    with pytest.raises(ConfigurationError, match="'v'"):
        read(legacy, watermark_columns=("v",))
    with pytest.raises(ConfigurationError, match="'v'"):
        read(legacy, sql="SELECT id, v FROM t", watermark_columns=("v",), key_columns=("id",))


def test_what_has_no_order_is_found_out_also_where_its_values_are_texts(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, doc json NOT NULL, at integer NOT NULL)")
    with pytest.raises(ConfigurationError) as error:
        read(legacy, watermark_columns=("doc", "at"), key_columns=("id", "doc"))
    assert "column 'doc' of table 't' is json, which can't be ordered" in str(error.value)


TEXTS = ["a", "B", "ä", "Z", "z", "_", "1", "Ab", "aB", ""]


@pytest.mark.parametrize(
    "collation",
    ['"C"', '"de-x-icu"', '"en-US-x-icu"', "numbers", "blind"],
    ids=["C", "de", "en", "numeric", "any case"],
)
@pytest.mark.parametrize("batch_rows", [1, 3])
def test_texts_are_paged_in_the_order_of_their_collation(legacy, collation, batch_rows):
    legacy.execute("CREATE COLLATION numbers (provider = icu, locale = 'en-u-kn-true')")
    legacy.execute("CREATE COLLATION blind (provider = icu, locale = 'en-u-ks-level2', deterministic = false)")
    legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, v text COLLATE {collation} NOT NULL)")
    for number, text in enumerate(TEXTS):
        legacy.execute("INSERT INTO t VALUES (%s, %s)", number, text)
    expected = [(str(number), text) for number, text in legacy.execute("SELECT id, v FROM t ORDER BY v, id")]
    rows, after = read(legacy, watermark_columns=("v",), batch_rows=batch_rows)
    assert rows == expected
    assert read(legacy, after, watermark_columns=("v",))[0] == []
    assert (
        read(legacy, sql="SELECT * FROM t", watermark_columns=("v",), key_columns=("id",), batch_rows=1)[0] == expected
    )


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("uuid", ["00000000-0000-0000-0000-0000000000ff", "00000000-0000-0000-0000-0000000000a0"]),
        ("bytea", [r"\x", r"\x00", r"\x0001", r"\xff"]),
        ("timestamp(0)", ["2026-01-01 00:00:00", "2026-01-01 00:00:01"]),
        ("timestamp(3)", ["2026-01-01 00:00:00", "2026-01-01 00:00:00.001", "2026-01-01 00:00:00.01"]),
        ("timestamptz(1)", ["2026-01-01 00:00:00+00", "2026-01-01 00:00:00.1+00", "2026-01-01 00:00:01+00"]),
        ("date", ["2025-12-31", "2026-01-01"]),
        ("time", ["00:00:00", "00:00:00.000001", "23:59:59"]),
        ("numeric", ["-1", "0.1", "0.10000000000000000000001", "2"]),
        ("float8", ["-1e+300", "0.1", "0.30000000000000004"]),
        ("boolean", ["f", "t"]),
        ("char(3)", ["a  ", "b  "]),
        ('"char"', ["a", "b"]),
        ("varchar(5)", ["", " ", "a"]),
    ],
)
def test_any_ordered_type_is_a_watermark_that_no_page_skips(legacy, type_, values):
    legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, v {type_} NOT NULL)")
    for number, value in enumerate([*values, *values]):
        legacy.execute(f"INSERT INTO t VALUES ({number}, '{value}')")
    expected = [str(number) for (number,) in legacy.execute("SELECT id FROM t ORDER BY v, id")]
    rows, after = read(legacy, watermark_columns=("v",), batch_rows=1)
    assert [row[0] for row in rows] == expected
    assert read(legacy, after, watermark_columns=("v",))[0] == []


@pytest.mark.parametrize(
    ("type_", "large", "size"),
    [
        ("jsonb", "to_jsonb(repeat('x', 70000000))", 70_000_002),
        ("json", "to_json(repeat('x', 70000000))", 70_000_002),
        ("bytea", "convert_to(repeat('x', 70000000), 'UTF8')", 140_000_000),
        ("varchar", "repeat('ä', 35000000)", 70_000_000),
    ],
)
def test_what_is_stored_compressed_is_measured_as_it_would_be_sent(legacy, type_, large, size):
    legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, v {type_})")
    legacy.execute(f"INSERT INTO t VALUES (1, {large})")
    with pytest.raises(EnvelopeError, match=rf"column 'v' holds a value of {size} bytes"):
        read(legacy, watermark_columns=("id",))


@pytest.mark.parametrize(
    ("cast", "told"),
    [("int", 'invalid input syntax for type integer: "..."'), ("json", "invalid input syntax for type json")],
)
def test_an_error_of_a_row_s_value_does_not_quote_it(legacy, cast, told):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, v text)")
    legacy.execute("INSERT INTO t VALUES (1, 'secret')")
    with pytest.raises(SourceError) as failed:
        read(legacy, sql=f"SELECT id, v::{cast} AS v FROM t", watermark_columns=("id",), key_columns=("id",))
    assert str(failed.value) == f"connection 'crm' failed while reading: {told} (SQLSTATE 22P02)"
    assert "secret" not in "".join(traceback.format_exception(failed.value))
