"""A shop with a stream that a run has left behind, and the commands as a person calls them."""

import argparse
import sqlite3
import uuid

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks.variable import VariableWatermarkStore
from tests.airflow import metadata
from tests.support.registered import Registered


@pytest.fixture(autouse=True)
def _on_the_command_line(monkeypatch):
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


@pytest.fixture
def call(capsys):
    """Returns a function that calls `airflow legacy-events watermark` and gives what it printed."""
    from airflow.cli.cli_parser import _add_command

    from airflow_legacy_events.cli import get_cli_commands

    parser = argparse.ArgumentParser(prog="airflow")
    commands = parser.add_subparsers()
    for command in get_cli_commands():
        _add_command(commands, command)

    def call(*words):
        args = parser.parse_args(["legacy-events", "watermark", *words])
        args.func(args)
        return capsys.readouterr().out

    return call
