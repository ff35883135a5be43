"""Writes down what a release keeps, and what it does next with it: `<case>.json` beside this file.

They were written by the code of commit 55f1e15, and are not written again: a later release must read them. To keep what
another release writes, run it in a checkout of that release, which needs the servers of the tests:

    cd CHECKOUT && PYTHONPATH=REPOSITORY python -m tests.golden.kept.make [CASE...]
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="legacy-events-kept-")

from tests.golden.kept import cases, cases_moved
from tests.golden.kept.sources import Server, Sqlite
from tests.golden.kept.world import World

HERE = Path(__file__).parent
GROUPS = (
    *(cases.ordered, cases.beginnings, cases.loads, cases.nulls),
    *(cases_moved.moved, cases_moved.queries, cases_moved.stores, cases_moved.records, cases_moved.cooldowns),
)


def main(wanted: list[str]) -> None:
    """Write the cases, all where none is named."""
    import airflow_legacy_events

    print("made by", airflow_legacy_events.__file__)
    servers = Servers()
    found = {name: case for group in GROUPS for name, case in group().items()}
    for name in wanted or found:
        with tempfile.TemporaryDirectory(prefix="legacy-events-kept-") as folder:
            written = told(found[name], servers, Path(folder))
        (HERE / f"{name}.json").write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n")
        print(name, [seen["state"] for seen in written["seen"] if isinstance(seen, dict) and "state" in seen])


class Servers:
    """Those of the tests, started when they are needed first."""

    def __init__(self) -> None:
        self._started: dict[str, Any] = {}

    def topics(self) -> Any:
        from tests.services.kafka import Kafka
        from tests.support.topics import Topics

        return Topics(self._started.setdefault("kafka", Kafka()))

    def source(self, kind: str, folder: Path) -> Sqlite | Server:
        if kind in ("sqlite", "generic"):
            return Sqlite(folder / "shop.db", kind)
        if kind not in self._started:
            from tests.services.mariadb import MariaDB
            from tests.services.postgres import Postgres

            self._started[kind] = {"postgres": Postgres, "mysql": MariaDB}[kind]()
        name = f"kept_{uuid.uuid4().hex[:12]}"
        self._started[kind].execute(f"CREATE DATABASE {name}")
        return Server(kind, self._started[kind], name)


def told(case: Any, servers: Servers, folder: Path) -> dict[str, Any]:
    """Play a case; return all of it."""
    source = servers.source(case["source"], folder)
    world = World(source, servers.topics(), folder, case)
    world.play([["sql", statement] for statement in case["made"]])
    world.play(case["before"])
    sql, changed, kept = list(world.sql), world.changed, world.kept()
    printed = {verb: world.do_cli(*words) for verb, words in PRINTS.items()} if _begun(kept) else {}
    seen = world.play(case["next"])
    after, stands = world.kept(), world.stands([one["run_id"] for one in kept["runs"]])
    if isinstance(source, Server):
        source.server.execute(f"DROP DATABASE {source.name}")
    return {
        **{name: case[name] for name in ("about", "source", "arguments")},
        "changed": changed,
        "stands": stands,
        "sql": sql,
        "before": case["before"],
        "kept": kept,
        "printed": printed,
        "next": case["next"],
        "seen": seen,
        "after": after,
    }


PRINTS = {"show": ("show", "{stream}", "-o", "json"), "export": ("export",)}


def _begun(kept: dict[str, Any]) -> bool:
    return any(key.startswith("legacy_events.stream.") for key in kept["variables"])


if __name__ == "__main__":
    main(sys.argv[1:])
