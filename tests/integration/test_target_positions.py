"""The table of positions belongs to transactions, on servers where a table may not."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.watermarks.in_target import TargetPositions
from tests.support.legacy import reused_database


def engine_of(legacy):
    return sa.create_engine(legacy.url, poolclass=sa.NullPool)


def test_a_table_without_transactions_is_refused_by_its_engine(request):
    with reused_database(request, "mariadb-11.8") as legacy:
        positions = TargetPositions(engine_of(legacy), "dwh")
        assert positions.load("s") is None
        [(name, text)] = legacy.execute("SHOW CREATE TABLE legacy_events_watermarks")
        assert "ENGINE=InnoDB" in text, name
        legacy.execute("ALTER TABLE legacy_events_watermarks ENGINE=MyISAM")
        with pytest.raises(WatermarkError, match="run ALTER TABLE legacy_events_watermarks ENGINE=InnoDB"):
            positions.load("s")


def test_a_table_that_a_crash_would_empty_is_refused(request):
    with reused_database(request, "postgresql-18") as legacy:
        positions = TargetPositions(engine_of(legacy), "dwh")
        positions.load("s")
        legacy.execute("ALTER TABLE legacy_events_watermarks SET UNLOGGED")
        with pytest.raises(WatermarkError, match="run ALTER TABLE legacy_events_watermarks SET LOGGED"):
            positions.load("s")
