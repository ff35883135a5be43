"""One legacy database, one topic and one DAG in the private Airflow, and what may happen there step by step.

It is driven by plain JSON, and it names nothing of the package but what a DAG file and a shell name.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import json
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.airflow import metadata
from tests.airflow.scheduler import Dag
from tests.golden.kept import places
from tests.golden.kept.sources import Server, Sqlite

FIRST_DAY = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
SOURCE, BROKER, STORE = "kept_source", "kept_broker", "kept_store"
TABLE = "legacy_events_watermarks"
REPORTED = ("mode", "rows", "events", "rejected", "watermark_from", "watermark_to", "horizon", "target_reached")


@dataclass
class World:
    """Where a case is played.

    Attributes:
        source: of the rows.
        topics: of the broker.
        folder: of this world alone.
        case: what the source holds at first, and the operator's arguments.
        sql: what was run at the source so far.
    """

    source: Sqlite | Server
    topics: Any
    folder: Path
    case: Mapping[str, Any]
    sql: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        places.cleaned()
        self.dag_id = f"kept_{uuid.uuid4().hex[:12]}"
        self.topic = self.topics.make(f"kept-{uuid.uuid4().hex[:12]}", max_message_bytes="4000")
        self.bootstrap = self.topics.kafka.bootstrap
        metadata.put_connection(SOURCE, **self.source.connection())
        metadata.put_connection(STORE, conn_type="sqlite", host=str(self.folder / "store.db"))
        metadata.put_connection(
            BROKER, conn_type="kafka", extra=json.dumps({"bootstrap.servers": self.bootstrap, "linger.ms": 5})
        )
        self.read, self.told = 0, Counter[str]()
        self.do_dag({})

    @property
    def stream(self) -> str:
        """The operator's stream."""
        given, sql = self.case["arguments"].get("stream"), self.case["arguments"].get("sql")
        middle = self.case["arguments"].get("table") if sql is None else f"{self.dag_id}.publish"
        return given or f"{SOURCE}.{middle}@{self.topic}"

    def stands(self, run_ids: Sequence[str]) -> dict[str, str]:
        """The texts that differ from world to world, by what they stand for.

        Args:
            run_ids: of the runs whose progress may be kept.
        """
        names = [self.stream, *(f"{self.stream}#{run}" for run in run_ids)]
        return {
            "topic": self.topic,
            "dag": self.dag_id,
            "folder": str(self.folder),
            "bootstrap": self.bootstrap,
            "cluster": self.topics.kafka.admin.list_topics(timeout=10).cluster_id,
            **self.source.stands(),
            **{f"row {at}": hashlib.sha256(name.encode()).hexdigest() for at, name in enumerate(names)},
        }

    def do_dag(self, changed: Mapping[str, Any]) -> None:
        """The DAG's author writes its file, with further arguments of its operator."""
        self.changed = dict(changed)
        words = {"topic": self.topic, **self.case["arguments"], **changed}
        more = ", ".join(f"{name}={value!r}" for name, value in words.items())
        self.dag = Dag.write(
            f"""
import datetime as dt
from airflow.sdk import DAG
from airflow_legacy_events.operators.query import IncrementalQueryOperator
from airflow_legacy_events.params import replay_params
with DAG({self.dag_id!r}, schedule=None, start_date=dt.datetime(2026, 10, 1, tzinfo=dt.timezone.utc),
         params=replay_params()):
    IncrementalQueryOperator(task_id="publish", source_conn_id={SOURCE!r}, broker_conn_id={BROKER!r}, {more})
""",
            self.dag_id,
        )

    def play(self, steps: list[list[Any]]) -> list[Any]:
        """Let everything happen in turn; return what was seen of each step."""
        return [getattr(self, f"do_{name}")(*words) for name, *words in steps]

    def do_sql(self, statement: str) -> None:
        """A row is written by the application."""
        self.sql.append(statement)
        self.source.execute(statement)

    def do_spoil(self, table: str, where: str) -> None:
        """A row gets a note that the topic does not take."""
        self.do_sql(f"UPDATE {table} SET note = {self.source.long} WHERE {where}")

    def do_mend(self, table: str, where: str) -> None:
        """The row can be sent again."""
        self.do_sql(f"UPDATE {table} SET note = 'short' WHERE {where}")

    def do_run(self, run_id: str, day: int = 0, run_type: str = "scheduled", conf: dict[str, Any] | None = None) -> Any:
        """A run of that day."""
        date = FIRST_DAY + dt.timedelta(days=day)
        interval = (date, date + dt.timedelta(days=1))
        return self._seen(self.dag.run(run_type, run_id=run_id, logical_date=date, interval=interval, conf=conf))

    def do_retry(self, run_id: str) -> Any:
        """The next try of a run that failed."""
        return self._seen(self.dag.retry(places.find_run(self.dag_id, run_id)))

    def do_clear(self, run_id: str) -> Any:
        """A run is cleared, and works again."""
        return self._seen(self.dag.clear(places.find_run(self.dag_id, run_id)))

    def do_cli(self, verb: str, *words: str) -> str:
        """A command of `airflow legacy-events watermark`; what it prints."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            metadata.cli("legacy-events", "watermark", verb, *(word.format(stream=self.stream) for word in words))
        return printed.getvalue()

    def do_look(self, waits: str, arguments: dict[str, Any], cooldown_days: float) -> Any:
        """A sensor or a trigger looks once; what it tells."""
        from airflow.sdk import DAG

        from airflow_legacy_events.sensors.pending import PendingEventsSensor
        from airflow_legacy_events.triggers.pending import PendingEventsTrigger

        words = {"source_conn_id": SOURCE, "stream": self.stream, "cooldown": dt.timedelta(cooldown_days), **arguments}
        with metadata.as_task():
            if waits == "trigger":
                probe = PendingEventsTrigger(**words)._probe
                try:
                    return probe.look()
                finally:
                    probe.end()  # the next world's source is behind the same connection
            with DAG(self.dag_id, schedule=None):
                told = PendingEventsSensor(task_id="wait", **words).poke({})
            return told and told.xcom_value

    def kept(self) -> dict[str, Any]:
        """What lies in Airflow and in the store's database."""
        return {**places.taken(self.dag_id), "table": self._table()}

    def put(self, kept: Mapping[str, Any]) -> None:
        """Put in what `kept` once returned."""
        places.put(self.dag, dict(kept))
        if kept["table"] is None:
            return
        with self._store() as connection:
            connection.execute(sa.text(kept["table"]["made"]))
            for row in kept["table"]["rows"]:
                names = ", ".join(row)
                values = ", ".join(f":{name}" for name in row)
                connection.execute(sa.text(f"INSERT INTO {TABLE} ({names}) VALUES ({values})"), row)

    def _table(self) -> dict[str, Any] | None:
        with self._store() as connection:
            made = connection.scalar(sa.text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": TABLE})
            if made is None:
                return None
            rows = connection.execute(sa.text(f"SELECT * FROM {TABLE} ORDER BY stream")).mappings()
            return {"made": made, "rows": [dict(row) for row in rows]}

    def _store(self) -> Any:
        return sa.create_engine(f"sqlite:///{self.folder}/store.db", poolclass=sa.NullPool).begin()

    def _seen(self, run: Any) -> dict[str, Any]:
        messages = self.topics.read(self.topic)[self.read :]
        self.read += len(messages)
        events = metadata.asset_events(run)[self.told[run.run_id] :]
        self.told[run.run_id] += len(events)
        report = metadata.pulled(run, "publish") or metadata.pulled(run, "publish", key="report") or {}
        return {
            "state": metadata.states(run)["publish"],
            "messages": [_brief(one) for one in messages],
            "report": {name: report.get(name) for name in (*REPORTED, "window", "completeness")},
            "asset_events": events,
        }


def _brief(message: Any) -> dict[str, Any]:
    event, headers = message.event, dict(message.headers)
    return {"key": message.key, "id": event["id"], "op": event["op"], "mode": headers.get("mode")}


def replaced(value: Any, old: Mapping[str, str], new: Mapping[str, str]) -> Any:
    """Return plain JSON in which the texts that stand for something are those of another world."""
    if isinstance(value, str):
        for what in sorted(old, key=lambda one: -len(old[one])):
            value = value.replace(old[what], f"\0{what}\0")
        for what in old:
            value = value.replace(f"\0{what}\0", new[what])
        return value
    if isinstance(value, dict):
        return {replaced(key, old, new): replaced(one, old, new) for key, one in value.items()}
    return [replaced(one, old, new) for one in value] if isinstance(value, (list, tuple)) else value
