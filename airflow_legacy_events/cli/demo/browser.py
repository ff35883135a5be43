"""Airflow's user interface on the demo's DAG, while the old application keeps working."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing

from airflow_legacy_events.cli.demo import broker, home, shop
from airflow_legacy_events.cli.demo.screen import BOLD, paint, say

_SECONDS_BETWEEN_ORDERS = 5.0


def serve() -> None:
    """Start an Airflow on the demo's home, with broker and shop, until Ctrl-C or until it exits by itself."""
    path = home.folder() / "shop.db"
    home.folder().mkdir(parents=True, exist_ok=True)
    shop.build(path)
    port, password = _free_port(), secrets.token_urlsafe(8)
    with broker.running() as bootstrap:
        os.environ.update(home.settings(bootstrap) | home.site(port))
        home.prepare()
        (home.folder() / home.PASSWORDS).write_text(json.dumps({"admin": password}))
        say(
            "Airflow is starting; in about half a minute open"
            f" {paint(f'http://127.0.0.1:{port}/dags/legacy_shop', BOLD)}"
        )
        say(f"   login   {paint('admin', BOLD)}   password   {paint(password, BOLD)}")
        say(f"   An order comes in every {_SECONDS_BETWEEN_ORDERS:.0f} s. Trigger the DAG and look at its XCom.")
        say("   Ctrl-C ends it.")
        with (home.folder() / "standalone.log").open("w") as log:
            command = [sys.executable, "-m", "airflow", "standalone"]
            process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603
            try:
                _let_orders_come_in(process, str(path))
            except KeyboardInterrupt:
                process.terminate()
                process.wait(30)
    if process.returncode > 0:
        raise SystemExit(f"airflow standalone ended with {process.returncode}; its log is {log.name}")


def _let_orders_come_in(airflow: subprocess.Popen[bytes], path: str) -> None:
    while True:
        try:
            airflow.wait(_SECONDS_BETWEEN_ORDERS)
        except subprocess.TimeoutExpired:
            with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
                shop.order(connection)
        else:
            return


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
