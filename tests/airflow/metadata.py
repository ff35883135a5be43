"""A private Airflow for tests: its own home, a SQLite metadata database, and the two ways in: a task's and a server's.

Importing this module before anything of Airflow sets the environment; `migrated()` makes the tables, once.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import functools
import logging
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MARK = "LEGACY_EVENTS_TEST_AIRFLOW_HOME"
_FERNET_KEY = b"cryptography-needs-32-bytes-here"


def _make_home() -> Path:
    if MARK in os.environ:  # a child process of a test run
        return Path(os.environ[MARK])
    if "airflow" in sys.modules:
        raise RuntimeError("airflow was imported before tests/airflow/metadata.py could give it a home of its own")
    home = Path(tempfile.mkdtemp(prefix="legacy-events-airflow-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    (home / "dags").mkdir()
    os.environ.update(_environment(home))
    return home


def _environment(home: Path) -> dict[str, str]:
    return {
        MARK: str(home),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(_FERNET_KEY).decode(),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW__API_AUTH__JWT_SECRET": "a-secret-of-the-tests-that-is-long-enough-for-sha-512-signatures-0123456789",
    }


HOME = _make_home()


@functools.cache
def migrated() -> Path:
    """Make the tables of the metadata database; return Airflow's home."""
    from airflow.utils.db import upgradedb

    level = logging.root.level
    upgradedb()
    logging.root.setLevel(level)
    return HOME


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


def put_connection(conn_id: str, **fields: object) -> None:
    """Write a connection as a person does."""
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    migrated()
    with create_session() as session:
        session.execute(delete(Connection).where(Connection.conn_id == conn_id))
        session.add(Connection(conn_id=conn_id, **fields))
