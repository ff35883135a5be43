"""Full loads of tables whose rows move while a snapshot of them is read: a load holds all rows, or begins again."""

from __future__ import annotations

import logging

import pytest

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model import Watermark
from tests.support.engines import of
from tests.support.legacy import reused_database

ROWS = 12


@pytest.fixture(params=of("postgresql"))
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute("SET lock_timeout = '5s'")
        found.execute("CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL, at timestamp DEFAULT now())")
        found.execute(f"INSERT INTO t SELECT i, i FROM generate_series(1, {ROWS}) i")
        yield found


@pytest.fixture
def parts(legacy):
    """The table as two partitions, of the rows to 6 and of those behind."""
    legacy.execute("DROP TABLE t; CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL) PARTITION BY RANGE (id)")
    legacy.execute("CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (7)")
    legacy.execute("CREATE TABLE high PARTITION OF t FOR VALUES FROM (7) TO (100)")
    legacy.execute(f"INSERT INTO t SELECT i, i FROM generate_series(1, {ROWS}) i")
    return legacy


class Load:
    """A load whose batches are taken one by one."""

    def __init__(self, source, at=None):
        self.horizon, self._reading = source.open(at)
        self.batches = []

    def take(self, number=1):
        self.batches += [next(self._reading) for _ in range(number)]

    def rest(self):
        self.batches += self._reading
        return self.ids

    @property
    def ids(self):
        return [int(row[0]) for batch in self.batches for row in batch.rows]

    @property
    def since(self):
        """Rows of what was read last from its beginning."""
        begun = [at for at, batch in enumerate(self.batches) if not batch.count and not batch.final]
        return [(int(row[0]), int(row[1])) for batch in self.batches[(begun or [0])[-1] :] for row in batch.rows]


ALL = list(range(1, ROWS + 1))
EXCHANGES = {
    "emptied and filled anew": ("TRUNCATE t; INSERT INTO t SELECT i, 100 + i FROM generate_series(5, 20) i",),
    "emptied": ("TRUNCATE t",),
    "rewritten by another type": ("ALTER TABLE t ALTER id TYPE bigint", "ALTER TABLE t ALTER id TYPE integer"),
    "rewritten by a default of each row": ("ALTER TABLE t ADD more float DEFAULT random()",),
    "made anew": (
        "DROP TABLE t; CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL, at timestamp)",
        "INSERT INTO t SELECT i, 100 + i FROM generate_series(5, 20) i",
    ),
    "swapped": (
        "CREATE TABLE u (LIKE t INCLUDING ALL); INSERT INTO u SELECT id, 7 FROM t",
        "ALTER TABLE t RENAME TO s; ALTER TABLE u RENAME TO t",
    ),
}


@pytest.mark.parametrize("taken", [0, 1, 3])
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_load_of_a_table_that_is_exchanged_begins_again_under_its_number(legacy, exchange, taken, caplog):
    with legacy.source(watermark_columns=(), batch_rows=4) as source, caplog.at_level(logging.WARNING):
        load = Load(source)
        load.take(min(taken, 3))
        if taken > 3:
            load.take(0)
        for statement in EXCHANGES[exchange]:
            legacy.execute(statement)
        load.rest()
    now = [(int(id_), int(v)) for id_, v in legacy.execute("SELECT id, v FROM t ORDER BY id")]
    assert load.since == now
    assert load.batches[-1].final
    assert {batch.counter for batch in load.batches} == {1}
    if taken:
        assert caplog.text.count("the load begins again") == 1


def test_a_load_whose_partition_is_detached_begins_again(parts, caplog):
    with parts.source(watermark_columns=(), batch_rows=4) as source, caplog.at_level(logging.WARNING):
        load = Load(source)
        load.take()
        parts.execute("ALTER TABLE t DETACH PARTITION high")
        load.rest()
    assert [id_ for id_, _ in load.since] == ALL[:6]
    assert "lost a partition" in caplog.text


@pytest.mark.parametrize("statement", ["TRUNCATE high", "DROP TABLE high"])
def test_a_partition_that_is_emptied_or_dropped_makes_a_load_begin_again(parts, statement, caplog):
    with parts.source(watermark_columns=(), batch_rows=4) as source, caplog.at_level(logging.WARNING):
        load = Load(source)
        load.take()
        parts.execute(statement)
        load.rest()
    assert [id_ for id_, _ in load.since] == ALL[:6]
    assert caplog.text.count("the load begins again") == 1


def test_a_partition_that_comes_changes_nothing(parts, caplog):
    with parts.source(watermark_columns=(), batch_rows=4) as source, caplog.at_level(logging.WARNING):
        load = Load(source)
        load.take()
        parts.execute("CREATE TABLE higher PARTITION OF t FOR VALUES FROM (100) TO (200)")
        parts.execute("INSERT INTO t VALUES (100, 100)")
        assert load.rest() == ALL
    assert "begins again" not in caplog.text


WAYS = {
    "a view": {"table": "w", "key_columns": ("id",)},
    "a query": {"table": None, "sql": "SELECT id, v FROM t -- of all", "key_columns": ("id",)},
    "a query of a view": {"table": None, "sql": "SELECT id, v FROM w WHERE id > 0", "key_columns": ("id",)},
    "a join": {"table": None, "sql": "SELECT t.id, u.v FROM t JOIN u USING (id)", "key_columns": ("id",)},
}


@pytest.mark.parametrize("taken", [1, 3])
@pytest.mark.parametrize("way", WAYS)
def test_what_reads_a_table_that_is_exchanged_is_loaded_again(legacy, way, taken, caplog):
    legacy.execute("CREATE TABLE u AS SELECT id, v FROM t; CREATE VIEW w AS SELECT id, v FROM t")
    with legacy.source(watermark_columns=(), batch_rows=4, **WAYS[way]) as source:
        load = Load(source)
        load.take(taken)
        with caplog.at_level(logging.WARNING):
            legacy.execute("TRUNCATE t; INSERT INTO t SELECT i, i FROM generate_series(3, 12) i")
            load.rest()
    assert [id_ for id_, _ in load.since] == ALL[2:]
    assert caplog.text.count("the load begins again") == 1


@pytest.mark.parametrize("way", WAYS)
def test_what_others_do_to_other_tables_touches_no_load(legacy, way, caplog):
    legacy.execute("CREATE TABLE u AS SELECT id, v FROM t; CREATE VIEW w AS SELECT id, v FROM t; CREATE TABLE o ()")
    with legacy.source(watermark_columns=(), batch_rows=4, **WAYS[way]) as source:
        load = Load(source)
        load.take()
        with caplog.at_level(logging.WARNING):
            legacy.execute("TRUNCATE o; CREATE INDEX ON t (v); INSERT INTO t VALUES (100, 1)")
            assert load.rest() == ALL
    assert "begins again" not in caplog.text


ORDINARY = {
    "an index": "CREATE INDEX ON t (v)",
    "a column": "ALTER TABLE t ADD more integer DEFAULT 7",
    "VACUUM": "VACUUM t",
    "ANALYZE": "ANALYZE t",
    "rows that go": "DELETE FROM t WHERE id > 3",
    "rows that change": "UPDATE t SET v = 0",
    "a longer type": "ALTER TABLE t ALTER at SET DEFAULT clock_timestamp()",
}


@pytest.mark.parametrize("what", ORDINARY)
def test_ordinary_work_on_a_table_does_not_touch_its_load(legacy, what, caplog):
    with legacy.source(watermark_columns=(), batch_rows=4, on_schema_change="fail") as source:
        load = Load(source)
        load.take()
        with caplog.at_level(logging.WARNING):
            legacy.execute(ORDINARY[what])
            assert load.rest() == ALL
    assert load.horizon.completeness == "exact"
    assert "begins again" not in caplog.text


@pytest.mark.parametrize("statement", ["VACUUM FULL t", "CLUSTER t USING t_pkey"])
def test_a_table_that_is_packed_is_loaded_as_a_whole(legacy, statement):
    with legacy.source(watermark_columns=(), batch_rows=4) as source:
        load = Load(source)
        load.take()
        legacy.execute(statement)
        load.rest()
    assert [id_ for id_, _ in load.since] == ALL


def test_a_table_that_is_exchanged_again_and_again_ends_the_load(legacy):
    with legacy.source(watermark_columns=(), batch_rows=4) as source:
        load = Load(source)
        with pytest.raises(SourceError, match=r"table 't' was exchanged .* 3 times while one run loaded it"):  # noqa: PT012
            for _ in range(3):
                load.take(2)
                legacy.execute("TRUNCATE t; INSERT INTO t SELECT i, i FROM generate_series(1, 12) i")
            load.rest()


def test_a_load_that_began_again_goes_on_from_there_in_the_next_run(legacy):
    with legacy.source(watermark_columns=(), batch_rows=4) as source:
        load = Load(source)
        load.take(2)
        legacy.execute("TRUNCATE t; INSERT INTO t SELECT i, i FROM generate_series(1, 12) i")
        load.take()
        after = load.batches[-1].after
        at = Watermark(after.values, None, {**load.horizon.facts, **after.facts})
    assert at.values == ()
    with legacy.source(watermark_columns=(), batch_rows=4) as source:
        again = Load(source, at)
        assert again.rest() == ALL
    assert {batch.counter for batch in again.batches} == {1}
    assert again.horizon.completeness == "exact"


def test_a_table_that_is_gone_ends_the_load(legacy):
    with legacy.source(watermark_columns=(), batch_rows=4) as source:
        load = Load(source)
        load.take()
        legacy.execute("DROP TABLE t")
        with pytest.raises(SourceError):
            load.rest()
