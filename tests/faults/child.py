"""Runs of a DAG in processes that may be killed."""

from __future__ import annotations

import multiprocessing
from typing import Any

from tests.airflow import metadata

# A fork of the tests' own process would inherit locks that threads of Airflow's API and of librdkafka hold.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__, "airflow.dag_processing.dagbag", "airflow_legacy_events.operators.query"])


def run_dag(text: str, dag_id: str) -> int:
    """Run a DAG once in a process of its own; return its exit status, negative for a signal."""
    process = start_dag(text, dag_id)
    process.join()
    return process.exitcode or 0


def start_dag(text: str, dag_id: str) -> Any:
    """Run a DAG once in a process of its own; return that process."""
    metadata.migrated()
    process = _CONTEXT.Process(target=metadata.run_dag, args=(text, dag_id))
    process.start()
    return process
