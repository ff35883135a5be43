"""Looks of a sensor or trigger below a horizon, which save no watermark."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import WatermarkError
from tests.support.horizons import START

TIMES = {"watermark_columns": ("at",), "null_watermark": "skip"}


def looked(source, stream):
    found = source.pending(stream.mark)
    return found, source.waits


def test_a_probe_keeps_mark_and_set_between_its_looks(shop, stream):
    shop.sell()
    stream.run()
    source = stream.source()
    slow = shop.write_rows()
    shop.sell()
    assert looked(source, stream) == ((0, None), True)
    later = shop.write_rows()
    shop.sell()
    shop.commit(slow)
    assert looked(source, stream) == ((2, ("3",)), True)
    shop.commit(later)
    assert looked(source, stream) == ((4, ("5",)), False)
    shop.write_rows()
    shop.sell()
    assert looked(source, stream) == ((4, ("5",)), True)
    assert stream.run() == [2, 3, 4, 5]
    assert looked(source, stream) == ((0, None), True)
    source.database.close()


def test_a_probe_looks_at_what_a_run_waits_for(shop, stream):
    shop.sell()
    stream.run()
    slow = shop.write_rows()
    shop.sell()
    stream.run()
    source, looks = stream.source(), shop.looks
    assert looked(source, stream) == ((0, None), True)
    assert shop.looks == looks
    shop.commit(slow)
    assert looked(source, stream) == ((2, ("3",)), False)
    source.database.close()


def test_no_person_need_know_of_the_looks_of_a_probe(shop, stream):
    shop.sell()
    stream.run()
    source = stream.source()
    shop.write_rows()
    shop.sell()
    assert looked(source, stream) == ((0, None), True)
    shop.server = "another"
    shop.open.clear()
    assert looked(source, stream) == ((1, ("3",)), False)
    stream.edit(horizon={"mark": ["3"], "open": ["t2"], "server": {"id": "one"}, "since": START.isoformat()})
    source.database.close()
    other = stream.source()
    with pytest.raises(WatermarkError, match="the stored horizon is of another server"):
        looked(other, stream)
    other.database.close()
