"""Servers are started once for the whole run; tests are kept apart by database and topic names."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from airflow_legacy_events.core import clock_margin
from airflow_legacy_events.databases.mysql.writers import listing
from airflow_legacy_events.databases.mysql.writers.prepared import prepared_names
from tests.services.kafka import QUICK_START
from tests.services.servers import SERVERS
from tests.support import profile
from tests.support.databases import Database, fresh_database
from tests.support.reused import Reused

# Airflow reads both when it is first imported: they must be of this process before that, not of one that started it.
_HOME = tempfile.TemporaryDirectory(prefix="legacy-events-airflow-")
os.environ["AIRFLOW_HOME"] = _HOME.name
os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{_HOME.name}/airflow.db"
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(Path(__file__).parent.parent / "example_dags")

os.environ.update(QUICK_START)

settings.register_profile("short", max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("long" if profile.LONG else "short")

pytest_plugins = ["tests.support.real_airflow"]


@pytest.fixture(autouse=True)
def no_clock_margin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that were just written with the database's time are read at once, except in tests of that margin."""
    if "clock_margin" not in request.keywords:
        monkeypatch.setattr(clock_margin, "CLOCK_MARGIN", dt.timedelta(0))


@pytest.fixture(autouse=True)
def writers_of_its_own(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests share servers: no run waits for what another test has open, except in tests of whole servers."""
    if "whole_server" in request.keywords:
        return
    own = "SELECT id FROM information_schema.processlist WHERE db <=> DATABASE()"
    for name, number in (("SESSIONS", "id"), ("TRANSACTIONS", "COALESCE(NULLIF(trx_mysql_thread_id, 0), {own})")):
        narrowed = f"{getattr(listing, name)} WHERE {number.format(own='CONNECTION_ID()')} IN ({own})"
        monkeypatch.setattr(listing, name, narrowed)
    take = listing.Lister.take

    def taken(lister: Any) -> Any:
        found = take(lister)
        ours = {*found.before, *found.after}
        if any(one.thread == 0 for one in found.transactions) and _prepared_here(lister):
            ours.add(0)
        return found._replace(transactions=[one for one in found.transactions if one.thread in ours])

    monkeypatch.setattr(listing.Lister, "take", taken)


def _prepared_here(lister: Any) -> bool:
    """Whether a prepared transaction has the name of this test's database."""
    with lister._using("looking for prepared transactions of other tests") as session:
        [(database,)] = session.rows("SELECT DATABASE()")
        names = prepared_names(session)
    return any(str(database) in one for one in names)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """The shared PostgreSQL server of the machine's own packages."""
    with SERVERS["postgres"].running() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Any]:
    """The shared MariaDB server of the machine's own packages."""
    with SERVERS["mariadb"].running() as server:
        yield server


@pytest.fixture(scope="session")
def mysql() -> Iterator[Any]:
    """The shared MySQL 5.6 server."""
    with SERVERS["mysql"].running() as server:
        yield server


@pytest.fixture
def postgres_database(postgres: Any) -> Iterator[Database]:
    """A fresh, empty database."""
    with fresh_database(postgres) as found:
        yield found


@pytest.fixture
def mariadb_database(mariadb: Any) -> Iterator[Database]:
    """A fresh, empty database."""
    with fresh_database(mariadb) as found:
        yield found


@pytest.fixture
def mysql_database(mysql: Any) -> Iterator[Database]:
    """A fresh, empty database."""
    with fresh_database(mysql) as found:
        yield found


@pytest.fixture(scope="session")
def kafka() -> Iterator[Any]:
    """The shared broker."""
    with SERVERS["kafka"].running() as broker:
        yield broker


@pytest.fixture(scope="session")
def connect(kafka: Any) -> Iterator[Any]:
    """The shared worker of Kafka Connect, which writes to the shared broker."""
    with SERVERS["connect"].running(kafka.bootstrap) as worker:
        yield worker


@pytest.fixture
def connector(connect: Any) -> Iterator[Callable[[], str]]:
    """Gives names for connectors of the shared worker, which are deleted in the end."""
    from tests.support.connectors import new_name, remove_connectors

    yield functools.partial(new_name, connect)
    remove_connectors(connect)


@pytest.fixture
def front(connect: Any) -> Iterator[Any]:
    """A front before the shared worker."""
    from tests.support.front import front_before

    with front_before(connect.url) as found:
        yield found


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


@pytest.fixture(scope="session")
def postgres18() -> Iterator[Any]:
    """The shared PostgreSQL 18 server."""
    with SERVERS["postgres18"].running() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_logs() -> Iterator[Any]:
    """The shared server of the machine's own packages whose change logs are read."""
    with SERVERS["postgres_logs"].running() as server:
        yield server


@pytest.fixture(scope="session")
def postgres18_logs() -> Iterator[Any]:
    """The shared PostgreSQL 18 server whose change logs are read."""
    with SERVERS["postgres18_logs"].running() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb11() -> Iterator[Any]:
    """The shared MariaDB 11.8 server."""
    with SERVERS["mariadb11"].running() as server:
        yield server


@pytest.fixture(scope="session")
def mysql9() -> Iterator[Any]:
    """The shared MySQL 9.7 server."""
    with SERVERS["mysql9"].running() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_logs() -> Iterator[Any]:
    """The shared MariaDB server of the machine's own packages whose binlog is read."""
    with SERVERS["mariadb_logs"].running() as server:
        yield server


@pytest.fixture(scope="session")
def mysql9_logs() -> Iterator[Any]:
    """The shared MySQL 9.7 server whose binlog is read."""
    with SERVERS["mysql9_logs"].running() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb11_logs() -> Iterator[Any]:
    """The shared MariaDB 11.8 server whose binlog is read, for the long forms."""
    with SERVERS["mariadb11_logs"].running() as server:
        yield server


@pytest.fixture(scope="session")
def mysql56_logs() -> Iterator[Any]:
    """The shared MySQL 5.6 server whose binlog is read, for the long forms."""
    with SERVERS["mysql56_logs"].running() as server:
        yield server


@pytest.fixture(scope="session")
def reused(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Reused]]:
    """Gives what lends the database of a server of PostgreSQL, by its fixture, to one test after another."""
    with ExitStack() as stack:

        @functools.cache
        def lender(server: str) -> Reused:
            return stack.enter_context(contextlib.closing(Reused(request.getfixturevalue(server))))

        yield lender
