"""Legacy databases of one world, and by which texts a watermark knows them."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

LONG = 9_000
"""Characters of a note that no topic of these worlds takes."""


@dataclass
class Sqlite:
    """A file in the world's folder."""

    file: Path
    conn_type: str = "sqlite"

    long = f"printf('%0{LONG}d', 0)"

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self.file, isolation_level=None)) as connection:
            return connection.execute(statement).fetchall()

    def connection(self) -> dict[str, Any]:
        if self.conn_type == "generic":
            return {"conn_type": "generic", "extra": json.dumps({"sqlalchemy_url": f"sqlite:///{self.file}"})}
        return {"conn_type": "sqlite", "host": str(self.file)}

    def stands(self) -> dict[str, str]:
        """Nothing but its path, which the world's folder is part of."""
        return {}


@dataclass
class Server:
    """A database of a server that `tests.services` knows.

    Attributes:
        conn_type: `postgres` or `mysql`.
        server: that runs.
        name: of the database.
    """

    conn_type: str
    server: Any
    name: str

    long = f"repeat('0', {LONG})"

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        return list(self.server.execute(statement, self.name))

    def connection(self) -> dict[str, Any]:
        url = urlsplit(self.server.url(self.name))
        return {
            "conn_type": self.conn_type,
            "host": url.hostname,
            "port": url.port,
            "login": url.username,
            "password": url.password,
            "schema": self.name,
        }

    def stands(self) -> dict[str, str]:
        if self.conn_type == "mysql":
            ((server,),) = self.execute("SELECT @@server_uid")
            return {"database": self.name, "server": server}
        ((system, line),) = self.execute(
            "SELECT (pg_control_system()).system_identifier::text, (pg_control_checkpoint()).timeline_id::text"
        )
        lines = {f"timeline {at}": text.format(line) for at, text in enumerate(_TIMELINES)}
        return {"database": self.name, "server": system, **lines}


# It is too short a text to be looked for alone.
_TIMELINES = ('"timeline":"{}"', '"timeline": "{}"')
