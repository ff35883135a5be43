"""Published rows of a window, sent again from an outbox that marks them, on every database."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Window
from tests.support import outbox_tables
from tests.support.engines import EACH
from tests.support.legacy import reused_database
from tests.support.outbox_tables import MOMENT, create, insert, named, numbers

MARK = {"after_publish": "mark"}
WINDOW = Window(None, "2026-11-02T00:00:00+00:00", "2026-11-04T00:00:00+00:00")


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        moment = MOMENT[found.dialect]
        create(found, "ms bigint", f"published_at {moment}")
        for day, number in ((1, 5), (2, 4), (2, 3), (3, 2), (4, 1), (3, 6)):
            at = f"2026-11-0{day} 00:00:00"
            ms = 1_793_491_200_000 + (day - 1) * 86_400_000
            published = None if number == 6 else "2026-11-05 00:00:00"
            insert(found, {"id": number, "created_at": at, "ms": ms, "published_at": published})
        yield found


def replayed(legacy, window, at=None, most=None, **options):
    """The ids of some batches, and the progress behind them."""
    with outbox_tables.source(legacy, **MARK, **options) as one:
        horizon, batches = one.open(at, window)
        found = []
        for _, batch in zip(range(most or 99), batches, strict=False):
            found += numbers(named(batch))
            at = batch.after._replace(facts={**horizon.facts, **batch.after.facts})
    return found, at


@pytest.mark.parametrize("time", ["created_at", "ms"])
def test_a_window_holds_published_rows_by_their_time_and_begins_where_it_stopped(legacy, time):
    columns = {"timestamp": time}
    assert replayed(legacy, WINDOW, columns=columns)[0] == [3, 4, 2]

    first, at = replayed(legacy, WINDOW, columns=columns, batch_rows=2, most=1)
    rest, _ = replayed(legacy, WINDOW, outbox_tables.kept(at), columns=columns, batch_rows=2)

    assert (first, rest) == ([3, 4], [2])
    other = Window(None, WINDOW.low, "2026-11-03T00:00:00+00:00")
    assert replayed(legacy, other, at, columns=columns)[0] == [3, 4]


def test_a_window_is_read_in_the_zone_of_naive_times(legacy):
    zone = {} if legacy.dialect == "postgresql" else {"source_timezone": "Asia/Tokyo"}
    window = Window(None, "2026-11-01T15:00:00+00:00", "2026-11-02T15:00:00+00:00")
    expected = [2] if legacy.dialect == "postgresql" else [3, 4]
    if legacy.dialect == "postgresql":
        window = Window(None, "2026-11-03T00:00:00+09:00", "2026-11-03T10:00:00+09:00")
    assert replayed(legacy, window, **zone)[0] == expected


def test_a_window_of_values_is_one_of_the_timestamp(legacy):
    low = 1_793_491_200_000
    window = Window(None, str(low), str(low + 86_400_001))
    assert replayed(legacy, window, columns={"timestamp": "ms"})[0] == [5, 3, 4]


@pytest.mark.parametrize(
    ("options", "window", "told"),
    [
        ({"after_publish": "delete"}, WINDOW, "Use after_publish='mark', which keeps them"),
        ({**MARK, "columns": {"timestamp": None}}, WINDOW, "has no timestamp to cut by"),
        (MARK, Window(None, WINDOW.high, WINDOW.low), "is empty"),
        (MARK, Window(None, "2026-11-02 00:00:00", "2026-11-03 00:00:00"), "has no offset"),
    ],
)
def test_a_window_that_can_t_be_cut_is_refused(legacy, options, window, told):
    with outbox_tables.source(legacy, **options) as one, pytest.raises(ConfigurationError, match=told):
        one.open(None, window)


def test_a_row_of_a_replay_is_never_left_behind(legacy):
    with outbox_tables.source(legacy, **MARK) as one:
        [batch, *_] = one.open(None, WINDOW).batches
        assert one.without(batch, frozenset({0})) is None
