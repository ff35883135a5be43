"""The seen-set is bounded: it drops what lies below the overlap, and the lowest of what is too much."""

import json

import pytest

from airflow_legacy_events.sources.query.overlapping.marks import Total, mark_of
from airflow_legacy_events.sources.query.overlapping.seen import MOST_VERSIONS, SeenRows, is_seen


def delivered(seconds):
    seen = SeenRows()
    for at, second in enumerate(seconds):
        mark = mark_of(second, (str(at),), (at, "a"))
        assert seen.meet(mark) == 0
        seen.deliver(mark)
    return seen


def test_what_lies_below_the_overlap_is_dropped():
    seen = delivered([10, 20, 30])
    assert seen.trim(20, 0, Total()) is None
    again = SeenRows.of(json.loads(json.dumps(seen.fact(None))))
    marks = [mark_of(second, (str(at),), (at, "a")) for at, second in enumerate([10, 20, 30])]
    assert [again.meet(mark) for mark in marks] == [0, None, None]


def test_the_lowest_of_too_many_are_counted_as_one_and_the_rest_fits():
    seen, total = delivered(range(MOST_VERSIONS + 3)), Total()
    assert seen.trim(0, 1, total) == ("2",)
    seen.after = ("2",)
    fact = seen.fact(total)
    assert (total.rows, fact["beyond"]["rows"], fact["after"]) == (2, 2, ["2"])
    assert len(json.dumps(fact)) < 256_000
    assert is_seen(fact)


@pytest.mark.parametrize(
    "found",
    [[], {}, {"rows": 1}, {"rows": "a"}, {"rows": "AAAA"}, {"rows": "", "after": 1}, {"rows": "", "from": 1}]
    + [{"rows": "", "beyond": one} for one in ([], {"rows": "1", "sum": "a"}, {"rows": 1}, {"rows": 1, "sum": "x"})],
)
def test_what_is_no_seen_set_is_noticed(found):
    assert not is_seen(found)
    assert is_seen({"rows": ""})
