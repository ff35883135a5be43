"""Debezium's connector for MariaDB over the same binlog, in the same worker, tuned alike."""

from __future__ import annotations

import random
import tempfile
from functools import partial
from typing import Any

from tests.benchmarks.case import Case, Result
from tests.benchmarks.changelog.debezium import TUNED, streamed
from tests.benchmarks.changelog.drains import prepare
from tests.benchmarks.changelog.logged import DEBEZIUM
from tests.benchmarks.changelog.world import MARIADB, LogWorld

NAME = "binlog-debezium"


def settings(connection: dict[str, Any], table: str, prefix: str, history: str) -> dict[str, Any]:
    """Return those of the connector: from an offset that is given to it, with the tables as they are now."""
    return {
        "connector.class": "io.debezium.connector.mariadb.MariaDbConnector",
        "tasks.max": 1,
        "database.hostname": connection["host"],
        "database.port": connection["port"],
        "database.user": connection["login"],
        "database.password": connection["password"],
        "database.server.id": random.randrange(2**30, 2**31),
        "database.include.list": connection["schema"],
        "table.include.list": table,
        "topic.prefix": prefix,
        "snapshot.mode": "recovery",
        "snapshot.locking.mode": "none",
        "schema.history.internal": "io.debezium.storage.file.history.FileSchemaHistory",
        "schema.history.internal.file.filename": history,
        "schema.history.internal.store.only.captured.tables.ddl": "true",
        "include.schema.changes": "false",
        **TUNED,
    }


def stream(world: LogWorld, rows: int) -> Result:
    """The same rows from the position that lies before them; the clock begins when the server sends its log."""
    logged = world.logged(MARIADB)
    table, (file, position) = logged.written, logged.begin
    with tempfile.TemporaryDirectory() as folder:

        def named(prefix: str) -> dict[str, Any]:
            found = f"{logged.schema(table)}.{table.name}"
            return settings(table.connection, found, prefix, f"{folder}/history")

        return streamed(world, rows, MARIADB, named, offset={"file": file, "pos": position, "gtids": logged.gtid})


CASE = Case(
    NAME, "Debezium 3.5 for MariaDB, streaming, tuned", stream, MARIADB, partial(prepare, reader=DEBEZIUM, on=MARIADB)
)
