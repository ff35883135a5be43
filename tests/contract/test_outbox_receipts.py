"""Receipts of an outbox: what a damaged one, or one of another key, takes with it."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import WatermarkError
from tests.support import outbox_tables
from tests.support.engines import EACH, of
from tests.support.legacy import reused_database
from tests.support.outbox_tables import create, drain, insert, left


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


def only(*dialects):
    """The tests of these dialects alone."""
    return pytest.mark.parametrize("legacy", of(*dialects), indirect=True)


DAMAGED = [
    ([1],),
    ([["a"], "????"],),
    ([1, 3, ""],),
    ([1, "x", "AAAAAQ=="],),
    ([[1, 2], "AAAAAQ=="],),
    (["abc", "AAAAAQ=="],),
    ([["1"], "AAAAAQ=="], [["2"], "??"]),
    ([None, "AAAAAQ=="],),
    ([[["1", "2"]], "AAAAAQ=="],),
    ([["no number"], "AAAAAQ=="],),
    ("x",),
    (3,),
]


@only("sqlite", "postgresql", "mysql")
def test_a_receipt_that_somebody_damaged_takes_no_row(legacy):
    create(legacy)
    insert(legacy, {}, {}, {})
    with outbox_tables.source(legacy) as one, outbox_tables.lease(legacy) as held:
        one.open(None)
        for receipt in DAMAGED:
            with pytest.raises(WatermarkError, match="receipt of stream 's' can't be understood"):
                one.acknowledge(receipt, held, again=True)
    assert left(legacy) == [1, 2, 3]


def test_rows_that_are_known_by_another_key_stay_until_it_is_back(legacy):
    key = outbox_tables.NUMBER[legacy.dialect]
    legacy.execute(
        f"CREATE TABLE outbox (seq {key}, id varchar(9) NOT NULL, aggregatetype varchar(9), aggregateid varchar(9),"
        f" type varchar(9), payload {legacy.engine.long_text}, part integer NOT NULL)"
    )
    legacy.execute("CREATE UNIQUE INDEX by_id ON outbox (id)")
    insert(legacy, {"id": "a", "part": 1}, {"id": "b", "part": 1})
    with outbox_tables.source(legacy, order_columns=("seq",)) as one:
        horizon, batches = one.open(None)
        [batch] = batches
    mark = batch.after._replace(facts={**horizon.facts, **batch.after.facts})
    legacy.execute("DROP INDEX by_id" + (" ON outbox" if legacy.dialect == "mysql" else ""))
    legacy.execute("CREATE UNIQUE INDEX by_both ON outbox (id, part)")

    with (
        outbox_tables.source(legacy, order_columns=("seq",)) as one,
        pytest.raises(
            WatermarkError, match=r"written for key_columns \['id'\], this run has .* restore it for one run"
        ),
    ):
        one.open(mark)
    rows, _ = drain(legacy, mark._replace(receipt=None), order_columns=("seq",))
    assert [row["id"] for row in rows] == ["a", "b"]
