"""A shop with a stream that a run has left behind, as a server of the deployment sees it."""

import sqlite3
import uuid

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks.variable import VariableWatermarkStore
from tests.airflow import metadata
from tests.support.registered import Registered


@pytest.fixture
def as_server():
    with metadata.as_server():
        yield


@pytest.fixture
def shop(tmp_path):
    file = tmp_path / "shop.db"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, updated_at TIMESTAMP NOT NULL)")
    connection.executemany(
        "INSERT INTO orders VALUES (?, ?)", [(number, f"2026-11-2{number} 09:15:02") for number in range(1, 6)]
    )
    connection.commit()
    metadata.put_connection("legacy_shop", conn_type="sqlite", host=str(file))
    metadata.put_connection("watermarks", conn_type="sqlite", host=str(tmp_path / "watermarks.db"))
    return file


@pytest.fixture
def stream():
    return f"legacy_shop.orders@{uuid.uuid4()}"


@pytest.fixture
def mark(stream, shop):
    """A stream that a run has left behind."""
    mark = Watermark(
        ("2026-11-23 09:15:02", "42"),
        ([1, 5],),
        {
            "source": "legacy_shop",
            "server": {"path": "/old/shop.db", "application_id": "0"},
            "columns": [["updated_at", "TIMESTAMP"], ["id", "INTEGER"]],
            "watermark_columns": ["updated_at"],
            "key_columns": ["id"],
            "table": "orders",
            "topic": "legacy.orders",
            "run": "r1",
        },
    )
    Registered(VariableWatermarkStore(), name="variable", dag="shop", task="publish").save(stream, mark, expected=None)
    return mark
