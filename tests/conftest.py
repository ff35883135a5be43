"""Servers are started once for the whole run; tests are kept apart by database and topic names."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.services.servers import SERVERS
from tests.support import profile

# Airflow reads its home when it is first imported: it must be one of our own before that.
_HOME = tempfile.TemporaryDirectory(prefix="legacy-events-airflow-")
os.environ["AIRFLOW_HOME"] = _HOME.name
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(Path(__file__).parent.parent / "example_dags")

settings.register_profile("short", max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("long" if profile.LONG else "short")

pytest_plugins = ["tests.support.real_airflow"]

_names = itertools.count()


@dataclass(frozen=True)
class Database:
    """An empty database of one test on a shared server."""

    server: Any
    name: str

    @property
    def dsn(self) -> str:
        return self.server.dsn(self.name)

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        return self.server.execute(statement, self.name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """The shared PostgreSQL server."""
    with SERVERS["postgres"].running() as server:
        yield server


@pytest.fixture
def postgres_database(postgres: Any) -> Iterator[Database]:
    """A fresh, empty database."""
    name = f"test_{os.getpid()}_{next(_names)}"
    postgres.execute(f"CREATE DATABASE {name}")
    yield Database(postgres, name)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Any]:
    """The shared MariaDB server."""
    with SERVERS["mariadb"].running() as server:
        yield server


@pytest.fixture(scope="session")
def mysql() -> Iterator[Any]:
    """The shared MySQL 5.6 server."""
    with SERVERS["mysql"].running() as server:
        yield server


@pytest.fixture
def mariadb_database(mariadb: Any) -> Iterator[Database]:
    """A fresh, empty database."""
    yield from _mysql_database(mariadb)


@pytest.fixture
def mysql_database(mysql: Any) -> Iterator[Database]:
    """A fresh, empty database."""
    yield from _mysql_database(mysql)


@pytest.fixture(scope="session")
def postgres_reused(postgres: Any) -> Iterator[Database]:
    """One database for many tests, each of which empties it."""
    name = f"reused_{os.getpid()}"
    postgres.execute(f"CREATE DATABASE {name}")
    yield Database(postgres, name)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def mariadb_reused(mariadb: Any) -> Iterator[Database]:
    """One database for many tests, each of which empties it."""
    yield from _mysql_database(mariadb)


def _mysql_database(server: Any) -> Iterator[Database]:
    name = f"test_{os.getpid()}_{next(_names)}"
    server.execute(f"CREATE DATABASE {name}")
    yield Database(server, name)
    server.execute(f"DROP DATABASE {name}")


@pytest.fixture(scope="session")
def kafka() -> Iterator[Any]:
    """The shared broker."""
    with SERVERS["kafka"].running() as broker:
        yield broker


@pytest.fixture(scope="session")
def topics(kafka: Any) -> Any:
    """Makes and reads topics of the shared broker."""
    from tests.support.topics import Topics

    return Topics(kafka)


@pytest.fixture
def topic(topics: Any) -> str:
    """A fresh topic with one partition."""
    return topics.make()


@pytest.fixture
def second_kafka() -> Iterator[Callable[..., Any]]:
    """Starts brokers that a test may stop and kill; underscores in the names of settings stand for dots."""
    from tests.services.kafka import Kafka

    started = []

    def start(**settings: str) -> Any:
        named = {name.replace("_", "."): value for name, value in settings.items()}
        started.append(Kafka(shared=False, settings=named))
        return started[-1]

    yield start
    for broker in started:
        broker.stop()
