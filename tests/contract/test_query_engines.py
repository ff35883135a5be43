"""Tables of MySQL and MariaDB whose engine holds no snapshot, and texts that are longer than what a server sorts by."""

from __future__ import annotations

import itertools

import pytest

from tests.support.engines import of
from tests.support.legacy import reused_database

ROWS = 60


@pytest.fixture(params=of("mysql"))
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


def load(legacy, **options):
    with legacy.source(watermark_columns=(), batch_rows=2, **options) as source:
        horizon, batches = source.open(None)
        return horizon, [int(row[0]) for batch in batches for row in batch.rows]


WAYS = {
    "a table": {},
    "a view": {"table": "w", "key_columns": ("id",)},
    "a query": {"table": None, "sql": "SELECT id FROM t", "key_columns": ("id",)},
}


@pytest.mark.parametrize("engine", ["MyISAM", "Aria", "MEMORY"])
@pytest.mark.parametrize("way", WAYS)
def test_a_load_of_rows_that_no_snapshot_holds_says_so_and_names_what_mends_it(legacy, engine, way):
    if engine == "Aria" and not legacy.engine.name.startswith("mariadb"):
        engine = "MyISAM"
    legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, v integer) ENGINE = {engine}")
    legacy.execute("CREATE VIEW w AS SELECT id, v FROM t")
    legacy.execute("INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)")
    horizon, ids = load(legacy, **WAYS[way])
    assert (horizon.completeness, ids) == ("best_effort", [1, 2, 3])
    assert f"is of engine {engine}, which holds no snapshot; ALTER TABLE" in horizon.reason
    legacy.execute("ALTER TABLE t ENGINE = InnoDB")
    horizon, ids = load(legacy, **WAYS[way])
    assert (horizon.completeness, ids) == ("exact", [1, 2, 3])


@pytest.fixture
def lengthy(legacy):
    """Rows whose codes differ only behind what a server sorts by, in an order that is not theirs."""
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, code varchar(700) NOT NULL) CHARACTER SET utf8mb4")
    for number in range(ROWS):
        legacy.execute(f"INSERT INTO t VALUES ({number}, CONCAT(REPEAT('x', 600), '{number * 7 % ROWS:03}'))")
    return legacy


LONG = {
    "a query by its key": {"table": None, "sql": "SELECT * FROM t", "watermark_columns": (), "key_columns": ("code",)},
    "a query by its watermark": {
        "table": None,
        "sql": "SELECT * FROM t WHERE id >= 0",
        "watermark_columns": ("code",),
        "key_columns": ("id",),
    },
    "a table without an index": {"watermark_columns": ("code",)},
}


@pytest.mark.parametrize("way", LONG)
@pytest.mark.parametrize("batch_rows", [1, 7, 25])
def test_texts_that_differ_late_are_read_in_their_order(lengthy, way, batch_rows):
    with lengthy.source(batch_rows=batch_rows, **LONG[way]) as source:
        found = [int(row[1][-3:]) for batch in source.open(None).batches for row in batch.rows]
    assert found == list(range(ROWS))


def test_a_load_sees_no_row_of_a_table_that_is_emptied_under_it_but_waits(lengthy):
    other = lengthy.connect()
    other.execute("SET lock_wait_timeout = 1")
    with lengthy.source(batch_rows=20, watermark_columns=()) as source:
        horizon, reading = source.open(None)
        batches = list(itertools.islice(reading, 1))
        with pytest.raises(Exception, match=r"(?i)lock wait timeout"):
            other.execute("TRUNCATE t")
        batches += reading
    other.close()
    assert (horizon.completeness, sum(batch.count for batch in batches)) == ("exact", ROWS)
