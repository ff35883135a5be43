"""DAGs of the deployment: whether Airflow has one of an id."""

from __future__ import annotations

from typing import Any

from airflow.sdk.exceptions import AirflowRuntimeError

_NOT_FOUND = 404


def dag_exists_for(ti: Any, dag_id: str) -> bool:
    """Return whether Airflow knows a DAG, for a task.

    A DAG whose file was removed counts until somebody deletes it in Airflow.

    Args:
        ti: the running task instance.
        dag_id: of the DAG.

    Raises:
        Exception: Airflow does not answer.
    """
    try:
        ti.get_dag(dag_id)
    except Exception as error:
        if _status_of(error) == _NOT_FOUND:
            return False
        raise
    return True


def _status_of(error: Exception) -> Any:
    """Return the HTTP status of an answer: the supervisor passes it on, except where it runs in the task's process."""
    if isinstance(error, AirflowRuntimeError):
        return (error.error.detail or {}).get("status_code")
    return getattr(getattr(error, "response", None), "status_code", None)


def dag_exists_on_a_server(dag_id: str) -> bool:
    """Return whether a DAG is in a file that Airflow reads; for a server of the deployment."""
    from airflow.models.dag import DagModel  # noqa: PLC0415  loads the whole metadata model
    from airflow.utils.session import create_session  # noqa: PLC0415

    with create_session() as session:
        found = session.get(DagModel, dag_id)
        return found is not None and not found.is_stale
