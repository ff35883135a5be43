"""Tables without a key that change while they are read, and kinds of tables that a stream has to read in one order."""

from __future__ import annotations

from collections import Counter

import pytest

from airflow_legacy_events.core.errors import WatermarkError
from tests.support.engines import EACH, of
from tests.support.legacy import reused_database

ROWS = 12


@pytest.fixture
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute("CREATE TABLE t (n integer NOT NULL, line varchar(20))")
        for number in range(ROWS):
            found.execute(f"INSERT INTO t VALUES ({number // 4}, 'same')")
        yield found


def on(*names):
    return pytest.mark.parametrize("legacy", names, indirect=True)


def source(legacy, watermark=(), **options):
    return legacy.source(key_columns=(), watermark_columns=watermark, **{"batch_rows": 3, **options})


def sent(batches):
    return Counter(tuple(row) for batch in batches for row in batch.rows)


@on(*of("postgresql", "mysql", "sqlite"))
@pytest.mark.parametrize("policy", ["evolve", "fail"])
def test_columns_that_come_between_two_ticks_are_taken_as_the_user_says(legacy, policy):
    with source(legacy, ("n",), batch_rows=4, on_schema_change=policy) as reading:
        batches = reading.open(None).batches
        first = next(batches)
        legacy.execute("ALTER TABLE t DROP COLUMN line")
        if policy == "fail":
            with pytest.raises(WatermarkError, match="on_schema_change='evolve'"):
                list(batches)
            return
        rest = list(batches)
    assert sum(batch.count for batch in [first, *rest]) == ROWS
    assert {len(batch.shape.columns) for batch in rest} == {1}
    assert len(first.shape.columns) == 2


@on(*of("postgresql", "mysql", "sqlite"))
def test_columns_that_change_before_a_load_is_read_are_those_that_it_sends(legacy):
    with source(legacy) as reading:
        batches = reading.open(None).batches
        legacy.execute("ALTER TABLE t DROP COLUMN line")
        found = [batch for batch in batches if batch.count]
    assert sum(batch.count for batch in found) == ROWS
    assert {len(batch.shape.columns) for batch in found} == {1}


@on(*of("postgresql"))
def test_a_table_that_is_emptied_before_its_load_is_read_begins_again(legacy):
    with source(legacy) as reading:
        batches = reading.open(None).batches
        legacy.execute("TRUNCATE t")
        legacy.execute("INSERT INTO t VALUES (7, 'new')")
        assert sent(batches) == Counter({("7", "new"): 1})


@on(*of("postgresql"))
def test_partitions_and_children_are_read_with_their_parent(legacy):
    legacy.execute("CREATE TABLE parted (n integer NOT NULL, line varchar(20)) PARTITION BY LIST (n)")
    legacy.execute("CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1)")
    legacy.execute("CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2)")
    legacy.execute("CREATE TABLE child () INHERITS (t)")
    for _ in range(5):
        legacy.execute("INSERT INTO parted VALUES (1, 'same'), (2, 'same')")
        legacy.execute("INSERT INTO child VALUES (9, 'same')")
    for watermark in ((), ("n",)):
        with source(legacy, watermark, table="parted") as reading:
            assert sent(reading.open(None).batches) == Counter({("1", "same"): 5, ("2", "same"): 5})
        with source(legacy, watermark) as reading:
            assert sent(reading.open(None).batches)[("9", "same")] == 5


@on(*EACH)
@pytest.mark.parametrize("watermark", [(), ("n",)], ids=["bulk", "by a number"])
def test_an_empty_table_is_read_to_its_end(legacy, watermark):
    legacy.execute("DELETE FROM t")
    with source(legacy, watermark) as reading:
        found = list(reading.open(None).batches)
    assert [(batch.count, batch.final) for batch in found] == [(0, True)]


@on(*EACH)
def test_rows_without_a_watermark_are_left_out_where_that_is_meant(legacy):
    legacy.execute("CREATE TABLE gaps (n integer, line varchar(20))")
    for number in ("1", "1", "NULL", "2"):
        legacy.execute(f"INSERT INTO gaps VALUES ({number}, 'same')")
    with source(legacy, ("n",), table="gaps", null_watermark="skip") as reading:
        assert sum(batch.count for batch in reading.open(None).batches) == 3


@on(*EACH)
def test_rows_of_the_last_tick_that_are_gone_turn_nothing_red(legacy):
    with source(legacy, ("n",)) as reading:
        opened = reading.open(None)
        last = list(opened.batches)[-1].after
        at = last._replace(facts={**opened.horizon.facts, **last.facts})
    legacy.execute("DELETE FROM t WHERE n = 2")
    legacy.execute("INSERT INTO t VALUES (3, 'new')")
    with source(legacy, ("n",)) as reading:
        assert sum(batch.count for batch in reading.open(at).batches) == 1
    legacy.execute("DELETE FROM t WHERE n = 3")
    with source(legacy, ("n",)) as reading:
        assert sum(batch.count for batch in reading.open(at).batches) == 0
