"""SQLite keeps any value in any column: what that means for watermarks and keys."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.errors import ConfigurationError, SourceError, WatermarkError
from airflow_legacy_events.core.model import Watermark
from tests.support.legacy import legacy_database

DECLARED = {
    "INTEGER": Kind.INTEGER,
    "bigint": Kind.INTEGER,
    "tinyint(1)": Kind.INTEGER,
    "BOOLEAN": Kind.BOOLEAN,
    "DECIMAL(10,2)": Kind.DECIMAL,
    "NUMERIC": Kind.DECIMAL,
    "REAL": Kind.FLOAT,
    "DOUBLE PRECISION": Kind.FLOAT,
    "VARCHAR(20)": Kind.TEXT,
    "NCHAR": Kind.TEXT,
    "CLOB": Kind.TEXT,
    "TIMESTAMP": Kind.TIMESTAMP,
    "DATETIME": Kind.TIMESTAMP,
    "TIMESTAMP WITHOUT TIME ZONE": Kind.TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": Kind.INSTANT,
    "timestamptz": Kind.INSTANT,
    "DATE": Kind.DATE,
    "TIME": Kind.TIME,
    "UUID": Kind.UUID,
    "JSON": Kind.JSON,
    "BLOB": Kind.BYTES,
    "VARBINARY(16)": Kind.BYTES,
    "": Kind.ANY,
    "GEOMETRY": Kind.ANY,
}


@pytest.fixture
def legacy(request):
    with legacy_database(request, "sqlite") as found:
        yield found


def ids(legacy, at=None, **options) -> list[int]:
    with legacy.source(**options) as source:
        return [row[0] for batch in source.open(at).batches for row in batch.rows]


def test_a_declared_type_says_what_is_meant(legacy):
    columns = ", ".join(f"c{number} {declared}" for number, declared in enumerate(DECLARED))
    legacy.execute(f"CREATE TABLE t ({columns})")
    database = legacy.database()
    assert [column.kind for column in database.reflect("t", None).columns] == list(DECLARED.values())
    query = database.reflect(None, "SELECT *, 1 + 1 AS two FROM t")
    assert [column.kind for column in query.columns][: len(DECLARED)] == list(DECLARED.values())
    database.close()


def test_a_watermark_without_a_declared_type_keeps_the_type_of_its_values(legacy):
    legacy.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, at)")
    values = [7, 8, 8, 10, 2**60, 9.5, "10", "it's", "'", "", "x'00'", b"\x00", b"\xff'"]
    for value in values:
        legacy.execute("INSERT INTO t (at) VALUES (?)", value)
    order = [number for (number,) in legacy.execute("SELECT id FROM t ORDER BY at, id")]
    for batch_rows in (1, 3, 100):
        assert ids(legacy, watermark_columns=("at",), batch_rows=batch_rows) == order


def test_a_watermark_that_is_computed_is_read_to_its_end(legacy):
    legacy.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER)")
    legacy.execute("INSERT INTO t VALUES (1, 5, 5), (2, 5, 1), (3, 90, 10)")
    query = "SELECT id, a + b AS at FROM t"
    assert ids(legacy, sql=query, watermark_columns=("at",), key_columns=("id",), batch_rows=1) == [2, 1, 3]


@pytest.mark.parametrize(
    ("declared", "value", "told"),
    [
        ("INTEGER", "abc", "a text of another form"),
        ("TEXT", b"abc", "a blob"),
        ("BLOB", "abc", "a text of another form"),
        ("TIMESTAMP", 1700000000, "a whole number"),
        ("TIMESTAMP", 1700000000.5, "a number"),
        ("DATETIME", "23.11.2026", "a text of another form"),
    ],
)
def test_a_watermark_of_another_type_than_declared_is_an_error_and_never_skipped(legacy, declared, value, told):
    legacy.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, at {declared} NOT NULL)")
    legacy.execute("INSERT INTO t VALUES (1, ?)", value)
    with pytest.raises(SourceError, match=f"column 'at' is declared '{declared}' but a row holds {told}.*use sql="):
        ids(legacy, watermark_columns=("at",))


def test_a_null_in_a_primary_key_is_found(legacy):
    legacy.execute("CREATE TABLE t (code TEXT PRIMARY KEY, at INTEGER NOT NULL)")
    legacy.execute("INSERT INTO t VALUES ('a', 1), (NULL, 2)")
    with pytest.raises(ConfigurationError, match="column 'code' of table 't'"):
        ids(legacy, watermark_columns=("at",))


@pytest.mark.parametrize("created", ["id INTEGER PRIMARY KEY", "id TEXT PRIMARY KEY", "id TEXT, PRIMARY KEY (id)"])
@pytest.mark.parametrize("option", ["", "WITHOUT ROWID"])
def test_only_a_key_that_can_hold_no_null_is_called_not_null(legacy, created, option):
    legacy.execute(f"CREATE TABLE t ({created}) {option}")
    database = legacy.database()
    found = database.reflect("t", None)
    assert found.primary_key == ("id",)
    assert found.columns[0].nullable is (option == "" and "TEXT" in created)
    database.close()


def test_a_text_that_is_no_number_in_a_watermark_is_an_error(legacy):
    legacy.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    with legacy.source(watermark_columns=("id",)) as source:
        facts = source.open(None).horizon.facts
        with pytest.raises(
            WatermarkError, match="holds a text for column 'id' that is not a value of its type 'INTEGER'"
        ):
            source.open(Watermark(("soon",), None, facts))


def test_a_table_of_sqlite_itself_and_a_missing_one_are_not_there(legacy):
    for table in ("sqlite_master", "nix"):
        with pytest.raises(ConfigurationError, match="there is no table or view of that name"):
            ids(legacy, table=table, watermark_columns=("id",))


def test_the_identity_is_path_and_application(legacy):
    legacy.execute("PRAGMA application_id = 77")
    database = legacy.database()
    assert database.identity() == {"application_id": "77", "path": legacy.url.database}
    database.close()


def test_a_file_that_is_no_database_is_a_source_error(legacy, tmp_path):
    (tmp_path / "text.db").write_text("no database, whatever its name says" * 100)
    database = legacy.database(database=str(tmp_path / "text.db"))
    with pytest.raises(SourceError, match="file is not a database"):
        database.read(sa.text("SELECT 1"))


def test_the_file_is_only_read(legacy):
    legacy.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    legacy.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = Path(legacy.url.database).read_bytes()
    ids(legacy, watermark_columns=("id",))
    assert Path(legacy.url.database).read_bytes() == before
