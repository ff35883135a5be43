"""Servers whose own zone is not UTC, as in most shops outside of a cloud."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import sqlalchemy as sa

from tests.support.databases import fresh_database
from tests.support.engines import ENGINES
from tests.support.legacy import Legacy, connected, reused_database

BERLIN, SYDNEY = "Europe/Berlin", "Australia/Sydney"
"""One of the two has summer time whenever tests run."""


@contextmanager
def server_in_berlin(made: type[Any]) -> Iterator[Any]:
    """A server of MariaDB or MySQL of a test's own: its system is in Berlin, and it knows both zones by name."""
    with mock.patch.dict(os.environ, {made.variable: "", "TZ": BERLIN}):
        server = made()
    try:
        for zone in (BERLIN, SYDNEY):
            program = shutil.which("mariadb-tzinfo-to-sql") or "mysql_tzinfo_to_sql"
            file = Path("/usr/share/zoneinfo") / zone
            told = subprocess.run([program, str(file), zone], check=True, capture_output=True, text=True).stdout
            filling = told[told.index("INSERT INTO time_zone (") :]  # around it are locks that only MariaDB knows
            server.execute(re.split(r"^(?:UNLOCK|execute|/[*]M)", filling, flags=re.MULTILINE)[0], "mysql")
        yield server
    finally:
        server.stop()


@contextmanager
def legacy_in(request: pytest.FixtureRequest, engine: str, zone: str) -> Iterator[Legacy]:
    """An empty database whose sessions are in a zone, unless they say otherwise.

    Args:
        request: of the fixture.
        engine: name of the engine; MariaDB's and MySQL's is of a server that the fixture `<engine>_in_berlin` gives.
        zone: as the server is told.
    """
    if ENGINES[engine].dialect == "postgresql":
        with reused_database(request, engine) as found:
            found.execute(f"ALTER DATABASE {found.url.database} SET timezone = '{zone}'")
            found.connection.close()
            found.connection = found.connect()
            yield found
        return
    server = request.getfixturevalue(f"{ENGINES[engine].server}_in_berlin")
    server.execute(f"SET GLOBAL time_zone = '{zone}'")
    with fresh_database(server) as database:
        url = sa.make_url(database.url)
        application = connected(url)
        try:
            yield Legacy(ENGINES[engine], url, application)
        finally:
            application.close()
            server.execute("SET GLOBAL time_zone = SYSTEM")
