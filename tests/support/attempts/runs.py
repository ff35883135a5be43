"""One run of the operator, as a task makes it, whatever has triggered it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

from airflow_legacy_events.operators.query import IncrementalQueryOperator
from tests.airflow import metadata


class _Outlet:
    def add(self, *_: Any, **__: Any) -> None:
        """Nobody listens."""


def run(
    conn_id: str, topic: str, *, conf: Any = None, params: Any = None, pushed: Any = None, **arguments: Any
) -> dict[str, Any]:
    """Execute as a task does; return the report.

    Args:
        conn_id: of the source.
        topic: where messages go.
        conf: the run's configuration, whatever that is.
        params: of the run.
        pushed: takes the XComs.
        arguments: of the operator.
    """
    ti = SimpleNamespace(dag_id="d", task_id="publish", run_id="r", map_index=-1, try_number=1)
    ti.xcom_push = lambda key, value: (pushed if pushed is not None else {}).update({key: value})
    dag_run = SimpleNamespace(
        run_type="manual", run_id="r", conf=conf, data_interval_start=None, data_interval_end=None
    )
    context: Any = {"ti": ti, "dag_run": dag_run, "params": params or {}, "outlet_events": defaultdict(_Outlet)}
    given = {"broker_conn_id": "two_roles_kafka", "delivery_timeout": dt.timedelta(seconds=20)}
    operator = IncrementalQueryOperator(
        task_id="publish", source_conn_id=conn_id, topic=topic, **{**given, **arguments}
    )
    with metadata.as_task():
        return operator.execute(context)
