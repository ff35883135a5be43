"""Bytes that are no UTF-8 in a text column: an error with the column's name, never a guess, and remedies that work."""

import re
import uuid

import MySQLdb
import psycopg
import pytest

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.databases.postgres import PostgresDatabase
from airflow_legacy_events.sources.query import QuerySource
from tests.support.engines import of
from tests.support.legacy import legacy_database

LATIN_1 = "größe".encode("latin-1")


@pytest.fixture
def odd_database(postgres):
    """A database in SQL_ASCII, as legacy ones are; returns its name."""
    name = f"odd_{uuid.uuid4().hex[:12]}"
    postgres.execute(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    with psycopg.connect(postgres.dsn(name), autocommit=True, client_encoding="SQL_ASCII") as connection:
        connection.execute("CREATE TABLE t (id integer PRIMARY KEY, fine text, odd text)")
        for number in range(1, 4):
            connection.execute("INSERT INTO t VALUES (%s, 'ok', 'ok')", (number,))
        connection.execute(b"INSERT INTO t VALUES (4, 'ok', '" + LATIN_1 + b"\\')")
    yield name
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


def rows(postgres, name, **options):
    database = PostgresDatabase(_url(postgres, name), conn_id="crm", statement_timeout_seconds=30)
    arguments = {"watermark_columns": ("id",), **options}
    source = QuerySource(database=database, stream="s", source="crm", **arguments)
    try:
        return [row for batch in source.open(None).batches for row in batch.rows]
    finally:
        database.close()


def _url(postgres, name):
    import sqlalchemy as sa

    return sa.make_url(postgres.url(name))


@pytest.mark.parametrize("declared", ["SQL_ASCII", "UTF8"])
def test_the_column_is_named_and_its_bytes_are_not(postgres, odd_database, declared):
    if declared == "UTF8":  # what an old server let in
        postgres.execute(
            f"UPDATE pg_database SET encoding = pg_char_to_encoding('UTF8') WHERE datname = '{odd_database}'"
        )
    for options in ({}, {"watermark_columns": (), "key_columns": ("id",)}):
        with pytest.raises(
            SourceError, match="column 'odd' holds bytes in a row that can't be read as UTF-8"
        ) as refused:
            rows(postgres, odd_database, table="t", **options)
        assert "xf6" not in repr(refused.value)
        assert refused.value.retry_helps is False


@pytest.mark.parametrize("declared", [0, 6], ids=["SQL_ASCII", "UTF8"])
def test_both_remedies_of_the_error_work(postgres, odd_database, declared):
    postgres.execute(f"UPDATE pg_database SET encoding = {declared} WHERE datname = '{odd_database}'")
    with pytest.raises(SourceError) as refused:
        rows(postgres, odd_database, table="t")
    as_bytes = re.search(r"as bytes with (.*?) AS odd,", str(refused.value))[1]
    decoded = re.search(r"where you know the encoding, with (.*?) AS odd$", str(refused.value))[1]
    for expression, expected in ((as_bytes, "\\x" + (LATIN_1 + b"\\").hex()), (decoded, "größe\\")):
        query = f"SELECT id, {expression} AS odd FROM t"
        assert rows(postgres, odd_database, sql=query, key_columns=("id",))[-1] == ("4", expected)


def test_text_of_another_encoding_is_read_as_what_it_is(postgres):
    name = f"latin_{uuid.uuid4().hex[:12]}"
    postgres.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    with psycopg.connect(postgres.dsn(name), autocommit=True) as connection:
        connection.execute("CREATE TABLE t (id integer PRIMARY KEY, body text)")
        connection.execute("INSERT INTO t VALUES (1, 'größe')")
    assert rows(postgres, name, table="t") == [("1", "größe")]
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_sqlite_names_the_column_and_not_the_text(request):
    with legacy_database(request, "sqlite") as legacy:
        legacy.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, odd TEXT)")
        legacy.execute("INSERT INTO t VALUES (1, CAST(x'67f6' AS TEXT))")
        with legacy.source(watermark_columns=("id",)) as source:
            opened = source.open(None)
            with pytest.raises(SourceError, match="column 'odd' holds bytes in a row that can't be read") as refused:
                list(opened.batches)
        assert "with text" not in str(refused.value)
        assert refused.value.__cause__ is None
        query = "SELECT id, CAST(odd AS BLOB) AS odd FROM t"
        with legacy.source(sql=query, watermark_columns=("id",), key_columns=("id",)) as source:
            opened = source.open(Watermark(None, None, {}))
            assert [row for batch in opened.batches for row in batch.rows] == [(1, b"g\xf6")]


HOLES = {
    "ascii": "67f6",
    "cp1251": "6798",
    "greek": "67ff",
    "tis620": "67db",
    "swe7": "6780",
    "ucs2": "0067d800",
    "utf32": "0000d800",
}


def lets_in(legacy, charset: str) -> bool:
    """Whether the row with the hole is there; later servers take it for another text, or refuse it."""
    try:
        legacy.execute(f"INSERT INTO t VALUES (7, '�', _{charset} x'{HOLES[charset]}')")
    except MySQLdb.OperationalError:
        return False
    return legacy.execute("SELECT HEX(`o``dd`) FROM t WHERE id = 7") == [(HOLES[charset].upper(),)]


@pytest.mark.parametrize("charset", HOLES)
@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("engine", of("mysql", also=("mysql-5.6",)))
def test_mysql_names_the_column_instead_of_sending_question_marks(request, engine, charset, rows):
    with legacy_database(request, engine) as legacy:
        legacy.execute("SET sql_mode = ''")
        legacy.execute(
            f"CREATE TABLE t (id int PRIMARY KEY, fine varchar(9), `o``dd` varchar(9) CHARACTER SET {charset})"
        )
        for number in range(rows - 1):
            legacy.execute("INSERT INTO t VALUES (%s, '?', '?a')", number)
        if not lets_in(legacy, charset):
            return
        for options in ({"table": "t"}, {"sql": "SELECT * FROM t", "key_columns": ("id",)}):
            with legacy.source(**options, watermark_columns=("id",)) as source:
                opened = source.open(None)
                with pytest.raises(
                    SourceError, match="column 'o`dd' holds bytes in a row that can't be read"
                ) as refused:
                    list(opened.batches)
            assert HOLES[charset][-2:] not in repr(refused.value)
            assert refused.value.__cause__ is None
            assert refused.value.retry_helps is False
        query = "SELECT id, CAST(`o``dd` AS BINARY) AS odd FROM t WHERE id = 7"
        with legacy.source(sql=query, watermark_columns=("id",), key_columns=("id",)) as source:
            opened = source.open(Watermark(None, None, {}))
            assert [row for batch in opened.batches for row in batch.rows] == [("7", bytes.fromhex(HOLES[charset]))]


@pytest.mark.parametrize("engine", of("mysql", also=("mysql-5.6",)))
def test_mysql_reads_every_character_of_a_set_as_what_it_is(request, engine):
    with legacy_database(request, engine) as legacy:
        texts = {"ascii": "?a", "cp1251": "Ж?", "greek": "Ω", "sjis": "表ｱ", "ujis": "表", "ucs2": "€?", "utf16": "😀"}
        columns = ", ".join(f"{name} varchar(9) CHARACTER SET {name}" for name in texts)
        legacy.connection._connection.query(f"CREATE TABLE t (id int PRIMARY KEY, {columns})".encode())
        legacy.execute(
            f"INSERT INTO t VALUES (1, {', '.join(['%s'] * len(texts))}), (2 {', NULL' * len(texts)})", *texts.values()
        )
        with legacy.source(watermark_columns=("id",)) as source:
            rows = [row for batch in source.open(None).batches for row in batch.rows]
    assert rows == [("1", *texts.values()), ("2", *[None] * len(texts))]
