"""Numbers of equal rows without a key."""

import random
from collections import Counter

import pytest

from airflow_legacy_events.core.copies import CopiesByMark, CopiesBySum, CopiesOfTick


def marks(count, kinds, seed):
    drawn = random.Random(seed)
    known = [f"@:{drawn.getrandbits(32):08x}" for _ in range(kinds)]
    return [drawn.choice(known) for _ in range(count)]


@pytest.mark.parametrize("made", [CopiesByMark, CopiesBySum, CopiesOfTick])
@pytest.mark.parametrize(("count", "kinds"), [(50_000, 40_000), (50_000, 3), (1, 1)])
def test_each_row_has_the_number_of_its_place_among_equal_ones(made, count, kinds):
    copies, rows, found = made(), marks(count, kinds, 7), []
    for begin in range(0, count, 999):
        some = rows[begin : begin + 999]
        found += zip(some, copies.number(some), strict=True)
    seen = Counter()
    for mark, number in found:
        seen[mark] += 1
        assert number == seen[mark]


@pytest.mark.parametrize("made", [CopiesByMark, CopiesBySum, CopiesOfTick])
def test_the_ids_of_rows_are_the_same_in_whatever_order_they_come(made):
    rows = [*marks(5_000, 900, 1), "@:00000000", "@:ffffffff", "@:00000000"]
    one = set(zip(rows, made().number(rows), strict=True))
    random.Random(2).shuffle(rows)
    assert set(zip(rows, made().number(rows), strict=True)) == one
    assert len(one) == len(rows)


def test_checksums_that_share_a_slot_are_told_apart():
    copies, sums = CopiesBySum(), [f"@:{at * 2**20:08x}" for at in range(2_000)]
    assert list(copies.number(sums)) == [1] * 2_000
    assert list(copies.number(sums)) == [2] * 2_000


def test_equal_checksums_of_watermarks_that_are_written_in_different_ways_are_told_apart():
    rows = ["@a:0000000f", "@A:0000000f", "@a:0000000f", "@A:0000000e", "@A:0000000f"]
    assert list(CopiesOfTick().number(rows)) == list(CopiesByMark().number(rows)) == [1, 1, 2, 1, 2]
    copies = CopiesOfTick()
    assert [copies.number([row])[0] for row in rows] == [1, 1, 2, 1, 2]
