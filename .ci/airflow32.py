"""One run of each type on this Airflow, by the installed wheel: SQLite, a mock broker, the real metadata database."""

from __future__ import annotations

import datetime as dt
import json
import os
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HOME = tempfile.mkdtemp(prefix="legacy-events-airflow32-")
os.environ |= {
    "AIRFLOW_HOME": HOME,
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
}
sys.path.append(str(ROOT))  # for tests.airflow; the package itself comes from the wheel

from airflow_legacy_events.cli.demo import broker  # noqa: E402
from tests.airflow import metadata  # noqa: E402
from tests.airflow.scheduler import Dag  # noqa: E402
from tests.support.airflow_features import HAS_STATE  # noqa: E402

HEAD = """
import datetime as dt
from airflow.sdk import DAG
from airflow_legacy_events.operators.query import IncrementalQueryOperator
"""
FIRST = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
WINDOW = {"from": FIRST.isoformat(), "to": (FIRST + DAY).isoformat()}


def main() -> None:
    """Run every cell, and say what each did."""
    import airflow

    if "site-packages" not in str(broker.__file__):
        raise SystemExit(f"the package comes from {broker.__file__}, not from the wheel")
    shop = _shop()
    metadata.migrated()
    with broker.running() as bootstrap:
        metadata.put_connection("kafka_default", conn_type="kafka", extra=json.dumps({"bootstrap.servers": bootstrap}))
        cells = Cells(bootstrap)
        _live(cells, shop)
        _again(cells)
        _stores(cells)
    print(f"Airflow {airflow.__version__}: {cells.count} runs did as they should")


class Cells:
    """Makes runs, and compares what each published."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap, self.offsets, self.count = bootstrap, dict[int, int](), 0

    def dag(self, dag_id: str, **arguments: Any) -> Dag:
        words = {"source_conn_id": "legacy_shop", "table": "orders", "watermark_columns": ["updated_at"]} | arguments
        text = ", ".join(f"{name}={value!r}" for name, value in words.items())
        return Dag.write(
            f"{HEAD}\nSTART = dt.datetime(2026, 10, 1, tzinfo=dt.timezone.utc)\n"
            f"with DAG({dag_id!r}, schedule=None, start_date=START):\n"
            f"    IncrementalQueryOperator(task_id='publish', topic={broker.TOPIC!r}, {text})\n",
            dag_id,
        )

    def expect(self, run: Any, ids: list[int], mode: str = "live", state: str = "success") -> None:
        """Compare the state, the mode and the events of a run."""
        self.count += 1
        events = [json.loads(one.value()) for one in broker.read(self.bootstrap, self.offsets)]
        found = {"state": metadata.states(run)["publish"], "ids": sorted(one["data"]["id"] for one in events)}
        report = metadata.pulled(run, "publish") or metadata.pulled(run, "publish", key="report") or {}
        wanted = {"state": state, "ids": ids}
        if found != wanted or report.get("mode") != mode:
            raise SystemExit(f"{run.run_id}: expected {wanted} {mode}, found {found} {report}")
        print(f"  {run.dag_id} {run.run_id}: {mode}, {state}, {ids}")


def _shop() -> sqlite3.Connection:
    file = Path(HOME) / "shop.db"
    shop = sqlite3.connect(file, isolation_level=None)
    shop.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, updated_at TIMESTAMP NOT NULL)")
    shop.execute("INSERT INTO orders VALUES (1, '2026-11-01 08:00:00'), (2, '2026-11-02 08:00:00')")
    metadata.put_connection("legacy_shop", conn_type="sqlite", host=str(file))
    return shop


def _live(cells: Cells, shop: sqlite3.Connection) -> None:
    dag = cells.dag("live")
    cells.expect(dag.run("scheduled", logical_date=FIRST, interval=(FIRST, FIRST + DAY)), [1, 2])
    for number, run_type in enumerate(("manual", "asset_triggered"), start=3):
        shop.execute(f"INSERT INTO orders VALUES ({number}, '2026-11-0{number} 08:00:00')")
        cells.expect(dag.run(run_type), [number])
    cells.expect(dag.clear(dag.run("manual", logical_date=FIRST + 5 * DAY, interval=(FIRST, FIRST))), [])


def _again(cells: Cells) -> None:
    dag = cells.dag("again")
    interval = {"logical_date": FIRST, "interval": (FIRST, FIRST + DAY)}
    cells.expect(dag.run("backfill", **interval), [1], "replay")
    cells.expect(dag.run(conf={"replay": WINDOW}), [1], "replay")
    cells.expect(dag.run("backfill", logical_date=FIRST + DAY, interval=(FIRST, FIRST)), [], state="failed")
    cells.expect(cells.dag("repeats", on_clear="repeat").run(), [], state="success" if HAS_STATE else "failed")


def _stores(cells: Cells) -> None:
    dated = {"interval": (FIRST, FIRST)}
    table = cells.dag("table", watermark_store="table:legacy_shop", stream="in_a_table")
    cells.expect(table.run(), [1, 2, 3, 4])
    cells.expect(table.run(), [])
    xcom = cells.dag("xcom", watermark_store="xcom", stream="in_xcoms")
    cells.expect(xcom.run(logical_date=FIRST, **dated), [1, 2, 3, 4])
    cells.expect(xcom.run("backfill", logical_date=FIRST + DAY, interval=(FIRST, FIRST + DAY)), [1], "replay")
    cells.expect(xcom.run(logical_date=FIRST + 2 * DAY, **dated), [])
    cells.expect(xcom.run(), [], state="failed")
    if not HAS_STATE:
        asset = cells.dag("asset", watermark_store="asset", stream="with_an_asset")
        cells.expect(asset.run(), [], state="failed")


if __name__ == "__main__":
    main()
