"""An application in memory, with a stream of its table whose runs don't wait."""

from __future__ import annotations

import pytest

from airflow_legacy_events.sources.query.horizons import drain
from tests.support.horizons import Application, Below


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setattr(drain, "DRAIN_SECONDS", 0.0)
    made = Application(tmp_path / "legacy.db")
    yield made
    made.close()


@pytest.fixture
def stream(shop):
    return Below(shop)
