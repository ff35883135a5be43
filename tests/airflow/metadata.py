"""The private Airflow of a test run: its tables, its two ways in (a task's and a server's), its runs of a DAG.

The home is made by tests/conftest.py before anything of Airflow is imported; importing this module does the rest.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import importlib.util
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.services.base import wait_until

HOME = Path(os.environ["AIRFLOW_HOME"])
DAGS = HOME / "dags"
EXAMPLES = Path(__file__).parents[2] / "example_dags"
BUNDLES = [
    {"name": name, "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle", "kwargs": {"path": str(folder)}}
    for name, folder in (("examples", EXAMPLES), ("tests", DAGS))
]

DAGS.mkdir(exist_ok=True)
os.environ["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"] = json.dumps(BUNDLES)
os.environ["AIRFLOW__CORE__FERNET_KEY"] = base64.urlsafe_b64encode(b"cryptography-needs-32-bytes-here").decode()
os.environ["AIRFLOW__API_AUTH__JWT_SECRET"] = (
    "long enough for a signature by SHA-512, of the tests: " + "0123456789" * 2
)


@functools.cache
def migrated() -> Path:
    """Make the tables of the metadata database; return Airflow's home."""
    import airflow
    from airflow.utils.db import upgradedb

    upgradedb()
    if airflow.__version__.startswith("3.2."):
        _wait_for_api()
    return HOME


def _wait_for_api() -> None:
    """Airflow 3.2 makes an in-process API for each task and does not wait until it has started: make one, and wait."""
    from airflow.sdk.execution_time import supervisor

    supervisor.in_process_api_server = functools.cache(supervisor.in_process_api_server)
    api = supervisor.in_process_api_server()
    assert api.transport  # starts it
    wait_until(lambda: hasattr(api.app.state, "svcs_registry"), "the start of Airflow's in-process API")


@functools.cache
def _execution_api() -> Any:
    from airflow.sdk.execution_time.supervisor import InProcessTestSupervisor

    return InProcessTestSupervisor._api_client()


@contextlib.contextmanager
def as_task() -> Iterator[None]:
    """Reach Airflow as a task does: through the supervisor and the execution API, on the real metadata database."""
    import psutil
    import structlog
    from airflow.sdk.execution_time.supervisor import (
        InProcessSupervisorComms,
        InProcessTestSupervisor,
        set_supervisor_comms,
    )

    migrated()
    supervisor = InProcessTestSupervisor(
        id=uuid.uuid4(),
        pid=os.getpid(),
        process=psutil.Process(),
        process_log=structlog.get_logger(),
        client=_execution_api(),
    )
    supervisor.comms = InProcessSupervisorComms(supervisor=supervisor)
    with set_supervisor_comms(supervisor.comms):
        yield


@contextlib.contextmanager
def as_server() -> Iterator[None]:
    """Reach Airflow as its command line does: on the metadata database itself."""
    migrated()
    before = os.environ.get("_AIRFLOW_PROCESS_CONTEXT")
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
    try:
        yield
    finally:
        os.environ.pop("_AIRFLOW_PROCESS_CONTEXT") if before is None else os.environ.update(
            {"_AIRFLOW_PROCESS_CONTEXT": before}
        )


def variables() -> dict[str, str]:
    """The Variables as they stand in the metadata database."""
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session
    from sqlalchemy import select

    migrated()
    with create_session() as session:
        return {one.key: one.val for one in session.scalars(select(Variable))}


def put_variable(key: str, text: str) -> None:
    """Write a Variable as a person does, in the user interface."""
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session

    migrated()
    drop_variable(key)
    with create_session() as session:
        session.add(Variable(key=key, val=text))


def drop_variable(key: str) -> None:
    """Delete a Variable behind everybody's back."""
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    migrated()
    with create_session() as session:
        session.execute(delete(Variable).where(Variable.key == key))


def activate_asset(name: str, uri: str) -> None:
    """Let Airflow know an asset, as the inlet of some task does."""
    from airflow.models.asset import AssetActive, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    migrated()
    with create_session() as session:
        if session.scalar(select(AssetModel).where(AssetModel.name == name)) is None:
            session.add(AssetModel(name=name, uri=uri))
            session.flush()
            session.add(AssetActive(name=name, uri=uri))


def forget_stale_assets(dag_id: str) -> None:
    """What Airflow does while a DAG can't be imported: its references go, and the state of assets that nobody names."""
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
    from airflow.models.asset import remove_references_to_deleted_dags
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session
    from sqlalchemy import update

    from tests.support.airflow_features import HAS_STATE

    with create_session() as session:
        session.execute(update(DagModel).where(DagModel.dag_id == dag_id).values(is_stale=True))
        remove_references_to_deleted_dags(session)
        session.flush()
        SchedulerJobRunner._update_asset_orphanage(SchedulerJobRunner.__new__(SchedulerJobRunner), session=session)
        if HAS_STATE:
            SchedulerJobRunner._cleanup_orphaned_asset_state_store(session=session)


def put_xcom(run: Any, task_id: str, key: str, value: Any) -> None:
    """Write an XCom as a person does, in the user interface; None deletes it."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    mine = {"dag_id": run.dag_id, "task_id": task_id, "run_id": run.run_id}
    with create_session() as session:
        if value is None:
            session.execute(delete(XComModel).filter_by(key=key, **mine))
        else:
            XComModel.set(key, value, serialize=False, session=session, **mine)


def cli(*words: str) -> None:
    """Call `airflow` in this process."""
    import argparse

    from airflow.cli.cli_parser import _add_command

    from airflow_legacy_events.cli import get_cli_commands

    parser = argparse.ArgumentParser(prog="airflow")
    commands = parser.add_subparsers()
    for command in get_cli_commands():
        _add_command(commands, command)
    args = parser.parse_args(words)
    with as_server():
        args.func(args)


def put_connection(conn_id: str, **fields: object) -> None:
    """Write a connection as a person does."""
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    migrated()
    with create_session() as session:
        session.execute(delete(Connection).where(Connection.conn_id == conn_id))
        session.add(Connection(conn_id=conn_id, **fields))


def run_dag(text: str, dag_id: str, **arguments: Any) -> Any:
    """Write a DAG file and run it once as Airflow runs it, with its store, its templates and its XComs."""
    return run_file(write_dag(text, dag_id), dag_id, **arguments)


def write_dag(text: str, dag_id: str) -> Path:
    """Write a DAG file; return its path.

    Python takes the bytecode that it kept of a file for that of another one that is as long and was written within the
    same second.
    """
    file = DAGS / f"{dag_id}.py"
    file.write_text(text)
    Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)
    return file


def run_file(file: Path, dag_id: str, **arguments: Any) -> Any:
    """Run the DAG of a file once; return its run."""
    from airflow.dag_processing.dagbag import DagBag

    migrated()
    bag = DagBag(str(file))
    if bag.import_errors:
        raise ImportError("\n".join(bag.import_errors.values()))
    return bag.dags[dag_id].test(**arguments)


def pulled(run: Any, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
    """An XCom of a task of a run, None where there is none."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    wanted = {"run_id": run.run_id, "dag_id": run.dag_id, "task_id": task_id, "key": key, "map_index": map_index}
    with create_session() as session:
        found = session.scalar(select(XComModel).filter_by(**wanted))
        return None if found is None else XComModel.deserialize_value(found)


def states(run: Any) -> dict[str, str]:
    """The states of a run's tasks, by task id and map index."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        found = session.scalars(
            select(TaskInstance).where(TaskInstance.dag_id == run.dag_id, TaskInstance.run_id == run.run_id)
        )
        return {
            one.task_id if one.map_index < 0 else f"{one.task_id}[{one.map_index}]": str(one.state) for one in found
        }


def asset_events(run: Any) -> list[tuple[str, dict[str, Any], list[str]]]:
    """The asset events that a run added: URI, extra and aliases of each."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return [
            (uri, event.extra, [alias.name for alias in event.source_aliases])
            for event, uri in session.execute(
                select(AssetEvent, AssetModel.uri)
                .join(AssetModel, AssetModel.id == AssetEvent.asset_id)
                .where(AssetEvent.source_run_id == run.run_id, AssetEvent.source_dag_id == run.dag_id)
            )
        ]


def forget_dag(dag_id: str) -> None:
    """Delete a DAG as a person does."""
    from airflow.api.common.delete_dag import delete_dag

    (DAGS / f"{dag_id}.py").unlink()
    delete_dag(dag_id)
