"""Real replicas of MariaDB and MySQL: how far each is, and what a promotion lost."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.databases.mysql import MysqlDatabase
from tests.services.mariadb import MariaDB
from tests.services.mysql9 import MySQL9
from tests.support.profile import LONG
from tests.support.replicas import primary_and_replica, promote, stop_following
from tests.support.streams import Deliveries

CASES = [(made, logs) for made in (MariaDB, MySQL9) for logs in ("ON", "OFF")] if LONG else [(MariaDB, "ON")]
"""Servers, and whether a replica logs what it replicates."""


@pytest.mark.parametrize(("made", "logs"), CASES)
def test_a_replica_is_waited_for_and_one_that_was_promoted_too_early_is_behind(made, logs):
    with primary_and_replica(made, logs) as (primary, replica):
        first, second = (
            MysqlDatabase(sa.make_url(one.url()), conn_id="crm", statement_timeout_seconds=20)
            for one in (primary, replica)
        )
        try:
            follow_and_promote(made, logs, (primary, replica), (first, second))
        finally:
            for one in (first, second):
                one.close()


def follow_and_promote(made, logs, servers, databases):
    (primary, replica), (first, second) = servers, databases
    primary.execute("CREATE DATABASE d; CREATE TABLE d.t (id int PRIMARY KEY)")
    first.identity()
    position = first.position()
    assert second.behind(position) is None  # once it has come there

    second.identity()
    assert first.behind(second.position()) is None  # hopping between them
    assert second.continues(first.identity(), position) == (made is MySQL9)  # whose numbers name their server
    assert not second.continues(first.identity(), None)
    assert not second.continues({**first.identity(), "database": "other"}, position)
    hops(primary, replica, green=made is MySQL9)
    stop_following(replica)
    primary.execute("INSERT INTO d.t VALUES (1)")
    first.identity()
    position = first.position()
    second.statement_timeout_seconds = 0
    assert not second.continues(first.identity(), position)
    second.identity()
    assert "has not executed" in second.behind(position)

    promote(replica)
    for number in range(2, 12):  # by its own numbers it has overtaken the other one
        replica.execute(f"INSERT INTO d.t VALUES ({number})")
    second.identity()
    found = second.behind(position)
    if (made, logs) == (MariaDB, "OFF"):
        assert found is None  # where its log does not tell what it replicated
    else:
        assert "has not executed" in found


def hops(primary, replica, *, green: bool) -> None:
    """Read a table from both servers in turn, as an endpoint of readers lets a run do."""
    stream = Deliveries(url="", broker=MemoryBroker(), topic="topic", table="t", options={"watermark_columns": ("id",)})
    for server in (primary, replica, primary):
        stream.url = sa.make_url(server.url()).set(database="d").render_as_string(hide_password=False)
        if green or server is primary:
            assert stream.run().target_reached
        else:
            with pytest.raises(WatermarkError, match="--accept-server"):
                stream.run()
