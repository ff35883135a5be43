"""Writes down the names by which a release knows a stream, and how its locks look: `names.json` and `locks.json`.

They were written by the code of commit 55f1e15, as the files of `make.py` were, and in the same way:

    cd CHECKOUT && PYTHONPATH=REPOSITORY python -m tests.golden.kept.make_names
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="legacy-events-kept-")

import sqlalchemy as sa

from airflow_legacy_events.databases import generic_lock
from tests.golden.kept import locks
from tests.services.mariadb import MariaDB
from tests.services.postgres import Postgres
from tests.support.legacy import DIALECTS, legacy_database

HERE = Path(__file__).parent
STREAMS = (
    "crm.orders@legacy.orders",
    "crm.orders@legacy.orders#scheduled__2026-11-01T00:00:00+00:00",
    "crm.dag.task@topic",
    "Größe der Kunden?/#%&=+ ~20 'x' \"y\" \\ \n\t",
    "日本.注文@トピック😀",
    "l" * 228,
    "l" * 300,
    "é" * 100,
    "crm.orders@" + "t" * 249 + "#backfill__" + "r" * 239,
    ".",
)
HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}
HOLDERS = (
    HOLDER,
    HOLDER | {"map_index": 3, "try": 7},
    HOLDER | {"dag": "ä" * 250, "task": "/* task */ %s '\"{}* /", "run": "r" * 250, "host": "h" * 250},
    HOLDER | {"dag": "(command line)", "task": "watermark set", "run": "by ann at 2026-11-29T10:00:00+00:00"},
)
QUERIES = (
    "SELECT id, note FROM orders",
    "  select id ,note\n FROM orders -- all of them\n ; ",
    "SELECT id /* the /* inner */ key */ , 'a  b -- ;' AS x FROM \"odd  name\" WHERE a=1;;",
    "WITH x AS (SELECT 1) SELECT * FROM x WHERE d > '{{ ds }}' AND t = E'it\\'s'",
    "SELECT $tag$ body -- $tag$, [a b], `c d`, ü FROM t",
    "shop.orders",
)


def main() -> None:
    """Write both files."""
    import airflow_legacy_events

    print("made by", airflow_legacy_events.__file__)
    _write("names", names())
    _write("locks", [_lock(stream, holder) for stream, holder in zip(STREAMS, HOLDERS, strict=False)])


def names() -> dict[str, Any]:
    """What follows from a name alone."""
    from airflow_legacy_events.hooks.naming import make_stream

    from airflow_legacy_events.core.sql_first_rule import first_fingerprint
    from airflow_legacy_events.operators.links import TopicLink
    from airflow_legacy_events.triggers.pending import PendingEventsTrigger
    from airflow_legacy_events.watermarks.airflow_variables import stream_of, variable_key

    prefixes = ("legacy_events.watermark.", "legacy_events.stream.", "legacy_events.fired.", "legacy_events.loaded.")
    keys = {stream: {one: variable_key(one, stream) for one in prefixes} for stream in STREAMS}
    words = {"conn_id": "crm", "topic": "legacy.orders", "dag_id": "d", "task_id": "t", "source_timezone": "UTC"}
    streams = [
        {"table": "shop.orders", "name": None},
        {"table": None, "name": None},
        {"table": "orders", "name": "x y"},
    ]
    trigger = PendingEventsTrigger(
        source_conn_id="crm",
        table="orders",
        watermark_columns=("id",),
        key_columns=("id",),
        topic="t",
        lag=2.5,
        waiter="d.t",
    )
    return {
        "keys": keys,
        "shown": {key: stream_of(one, key) for found in keys.values() for one, key in found.items()},
        "assets": {stream: _asset(stream) for stream in STREAMS},
        "streams": [{**one, "stream": list(make_stream(**words, **one))[:4]} for one in streams],
        "queries": {one: first_fingerprint(one) for one in QUERIES},
        "trigger": list(trigger.serialize()),
        "link": TopicLink().xcom_key,
        "turn": _turn("kafka://broker:9092/legacy.orders"),
        "mysql": {stream: _mysql("crm", stream) for stream in STREAMS},
    }


def _asset(stream: str) -> list[str]:
    from airflow_legacy_events.watermarks.asset import watermark_asset

    asset = watermark_asset(stream)
    return [asset.name, asset.uri]


def _mysql(database: str, stream: str) -> str:
    from airflow_legacy_events.databases.mysql_lock import NamedLock

    return str(NamedLock(lambda: None, database, stream, HOLDER, logging.getLogger())._lock)  # type: ignore[arg-type,return-value]


def _turn(uri: str) -> dict[str, str]:
    from airflow_legacy_events.operators._turn import take_turn

    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        assert take_turn(uri)
        tempfile.tempdir = None
        (file,) = Path(folder).iterdir()
    return {"uri": uri, "file": file.name.replace(f"-{os.getuid()}-", "-UID-")}


def _lock(stream: str, holder: dict[str, Any]) -> dict[str, Any]:
    return {"stream": stream, "holder": holder, **{dialect: _shown(dialect, stream, holder) for dialect in DIALECTS}}


def _shown(dialect: str, stream: str, holder: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        fixtures = Fixtures(Path(folder))
        with legacy_database(fixtures, dialect) as legacy:  # type: ignore[arg-type]
            database = legacy.database()
            with database.lock(stream, holder):
                found = locks.shown(legacy, stream)
            if dialect == "firebird":
                with sa.create_engine(legacy.url).connect() as session:
                    found["made"] = str(sa.schema.CreateTable(generic_lock.locks).compile(session))
            database.close()
        fixtures.drop()
    return found


class Fixtures:
    """What a test's request gives."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._name = folder, f"kept_{uuid.uuid4().hex[:12]}"
        self._made: Any = None

    def getfixturevalue(self, name: str) -> Any:
        """A folder, or a database."""
        if name == "tmp_path":
            return self._folder
        self._made = {"postgres_database": Postgres, "mariadb_database": MariaDB}[name]()
        self._made.execute(f"CREATE DATABASE {self._name}")
        return SimpleNamespace(url=self._made.url(self._name))

    def drop(self) -> None:
        """Remove the database again."""
        if self._made is not None:
            self._made.execute(f"DROP DATABASE {self._name}")


def _write(name: str, content: Any) -> None:
    (HERE / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
