"""A database whose change log tasks read, and DAGs that do."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from tests.airflow import metadata
from tests.airflow.scheduler import Dag
from tests.support.databases import Database, fresh_database

CONN_ID = "logged_crm"
HEAD = """
from airflow.sdk import DAG, CronDataIntervalTimetable
from airflow_legacy_events.operators.changelog import ChangeLogDrainOperator
"""
DROP = """
SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
 WHERE database = '{name}' AND active_pid IS NOT NULL;
DO $$ BEGIN
  FOR _ IN 1..100 LOOP
    EXIT WHEN NOT EXISTS (SELECT FROM pg_replication_slots WHERE database = '{name}' AND active);
    PERFORM pg_sleep(0.05);
  END LOOP;
  PERFORM pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '{name}';
END $$
"""


@dataclass
class Logged:
    """A database behind the connection `CONN_ID`, with topics of its own.

    Attributes:
        database: on a shared server.
        broker: reads topics.
        prefix: of the names of slots and topics.
    """

    database: Database
    broker: Any
    prefix: str

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        return self.database.execute(statement)

    @property
    def slot(self) -> str:
        return f"{self.prefix}_slot"

    @property
    def stream(self) -> str:
        return f"{CONN_ID}.{self.slot}@log"

    def topic(self, table: str) -> str:
        return f"{self.prefix}.{table}"

    def text(self, dag_id: str, words: str = "schedule=None", **arguments: Any) -> str:
        """Return the file of a DAG with one task, `drain`."""
        given = {
            "task_id": "drain",
            "source_conn_id": CONN_ID,
            "tables": ["public.*"],
            "slot": self.slot,
            "topic": f"{self.prefix}.{{table}}",
            "topic_partitions": 1,
            "on_busy": "fail",
        } | arguments
        listed = ", ".join(f"{name}={value!r}" for name, value in given.items() if value is not None)
        return f"{HEAD}\nwith DAG({dag_id!r}, {words}):\n    ChangeLogDrainOperator({listed})\n"

    def dag(self, words: str = "schedule=None", **arguments: Any) -> Dag:
        """Return a DAG of its own, whose runs may have any type and configuration."""
        dag_id = f"log_{uuid.uuid4().hex[:12]}"
        return Dag.write(self.text(dag_id, words, **arguments), dag_id)

    def run(self, *, conf: dict[str, Any] | None = None, words: str = "schedule=None", **arguments: Any) -> Any:
        """Run a DAG once; return its run."""
        dag_id = f"log_{uuid.uuid4().hex[:12]}"
        return metadata.run_dag(self.text(dag_id, words, **arguments), dag_id, run_conf=conf)

    def events(self, table: str) -> list[Any]:
        """Return the events on the topic of a table."""
        return [one.event for one in self.broker.read(self.topic(table))]


@contextmanager
def logged(server: Any, broker: Any, conn_id: str = CONN_ID) -> Iterator[Logged]:
    """A new database behind the connection; its slots are gone afterwards."""
    with fresh_database(server) as database:
        parts = conninfo_to_dict(database.dsn)
        metadata.put_connection(
            conn_id,
            conn_type="postgres",
            host=parts["host"],
            port=int(str(parts["port"])),
            login=parts["user"],
            password=parts.get("password"),
            schema=database.name,
        )
        prefix = f"l{uuid.uuid4().hex[:10]}"
        try:
            yield Logged(database, broker, prefix)
        finally:
            for statement in DROP.format(name=database.name).split(";\n", 1):
                database.execute(statement)
            for key in [key for key in metadata.variables() if prefix in key]:
                metadata.drop_variable(key)
