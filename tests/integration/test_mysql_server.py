"""What a server of MariaDB or MySQL says of itself: how far it is, whether it is behind, which id comes next."""

from __future__ import annotations

import logging
import random
import threading
import uuid

import pytest

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.ports import NextId
from tests.support.engines import MARIADB, NEW_MYSQL, of
from tests.support.legacy import legacy_database
from tests.support.mysql import User

WITH_RIGHTS = tuple(name for name in of("mysql", also=("mariadb-10.11",)) if name != "mysql-5.6")


@pytest.fixture(params=of("mysql", also=("mysql-5.6", "mariadb-10.11")))
def legacy(request):
    with legacy_database(request, request.param) as found:
        yield found


@pytest.fixture
def database(legacy):
    made = legacy.database()
    yield made
    made.close()


class Source:
    """Transactions of another server, as a replica executes them."""

    def __init__(self, legacy):
        self.legacy, self.number = legacy, 0
        self.mariadb = legacy.engine.name.startswith("mariadb")
        self.name = f"{random.randrange(2**31)}-77" if self.mariadb else str(uuid.uuid4())

    def gtid(self, number: int) -> str:
        return f"{self.name}{'-' if self.mariadb else ':'}{number}"

    def arrive(self) -> None:
        """The next transaction arrives."""
        self.number += 1
        with self.legacy.connect() as replicating:
            if self.mariadb:
                domain, server = self.name.split("-")
                replicating.execute(f"SET gtid_domain_id = {domain}, server_id = {server}, gtid_seq_no = {self.number}")
                replicating.execute("CREATE OR REPLACE TABLE arrived (id int)")
            else:
                replicating.execute(f"SET gtid_next = '{self.gtid(self.number)}'")
                replicating.execute("BEGIN")
                replicating.execute("COMMIT")


@pytest.fixture
def source(legacy):
    found = Source(legacy)
    found.arrive()
    return found


def test_a_server_is_not_behind_itself(database, source):
    identity = database.identity()
    position = database.position()
    assert source.gtid(1) in position["gtids"]
    assert database.behind(position) is None
    assert database.identity() == identity


def test_a_server_that_lacks_what_another_one_had_is_behind(database, source):
    found = database.behind({"gtids": [source.gtid(1), source.gtid(2)]})
    assert f"has not executed {source.gtid(2)}, which" in found


def test_what_is_no_position_of_this_server_is_not_compared(database, source):
    for position in ({}, {"lsn": "0/1"}, {"gtids": ["x", 5]}, {"gtids": None}):
        assert database.behind(position) is None


@pytest.mark.parametrize("legacy", WITH_RIGHTS, indirect=True)
def test_a_server_that_may_be_a_replica_is_waited_for(legacy, source, caplog):
    caplog.set_level(logging.INFO)
    user = User(legacy)
    user.grant(f"SELECT ON {legacy.url.database}.*")
    reader = legacy.database(username=user.name)
    found = []
    waiting = threading.Thread(target=lambda: found.append(reader.behind({"gtids": [source.gtid(2)]})))
    try:
        waiting.start()
        while "waiting for the server to execute" not in caplog.text:
            assert waiting.is_alive()
        source.arrive()
        waiting.join(10)
    finally:
        reader.close()
        user.drop()
    assert found == [None]


@pytest.mark.parametrize("legacy", WITH_RIGHTS, indirect=True)
def test_no_server_is_waited_for_longer_than_a_statement_or_after_a_stop(legacy, source, caplog):
    caplog.set_level(logging.INFO)
    user = User(legacy)
    user.grant(f"SELECT ON {legacy.url.database}.*")
    hasty, patient = (legacy.database(timeout=seconds, username=user.name) for seconds in (0.3, 60))
    stopped = []

    def wait() -> None:
        with pytest.raises(SourceError, match="closed by its run") as error:
            patient.behind({"gtids": [source.gtid(2)]})
        stopped.append(error.value)

    waiting = threading.Thread(target=wait)
    try:
        assert source.gtid(2) in hasty.behind({"gtids": [source.gtid(2)]})
        caplog.clear()
        waiting.start()
        while "waiting for the server to execute" not in caplog.text:
            assert waiting.is_alive()
        patient.close()
        waiting.join(5)
    finally:
        hasty.close()
        user.drop()
    assert len(stopped) == 1


IDS = {
    "id int AUTO_INCREMENT PRIMARY KEY": 1,
    "id int AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = (100": 100,
    "id bigint unsigned AUTO_INCREMENT PRIMARY KEY) ENGINE = (MyISAM": 1,
    "g int, id int AUTO_INCREMENT, PRIMARY KEY (id, g)": 1,
    "id int PRIMARY KEY": None,
}


@pytest.mark.parametrize("declared", IDS)
def test_the_next_id_is_that_of_now(legacy, database, declared):
    head, _, tail = declared.partition(") ")
    legacy.execute(f"CREATE TABLE t ({head}) {tail.replace('(', '')}")
    assert database.next_id("t", "id").value == IDS[declared]
    if IDS[declared] is None:
        return
    key = "g" if declared.startswith("g") else "id"
    for _ in range(3):
        legacy.execute(f"INSERT INTO t ({key}) VALUES ({'1' if key == 'g' else 'NULL'})")
    assert database.next_id("t", "id").value == IDS[declared] + 3
    legacy.execute("DELETE FROM t")
    assert database.next_id("t", "id").value == IDS[declared] + 3
    legacy.execute("TRUNCATE TABLE t")
    assert database.next_id("t", "id").value == 1


def test_whatever_sessions_count_by_the_next_id_lies_above_those_that_were_given(legacy, database):
    legacy.execute("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY)")
    legacy.execute("SET auto_increment_increment = 10, auto_increment_offset = 5")
    legacy.execute("INSERT INTO t VALUES (NULL), (NULL)")
    value = database.next_id("t", "id").value
    highest = legacy.execute("SELECT max(id) FROM t")[0][0]
    legacy.execute("SET auto_increment_increment = 1, auto_increment_offset = 1")
    legacy.execute("DELETE FROM t")
    legacy.execute("INSERT INTO t VALUES (NULL)")
    assert value > highest
    assert legacy.execute("SELECT id FROM t")[0][0] > highest


def test_ids_of_deleted_rows_return_where_a_restart_forgot_them(legacy, database):
    legacy.execute("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY) ENGINE = InnoDB")
    legacy.execute("INSERT INTO t VALUES (NULL), (NULL), (NULL)")
    legacy.execute("DELETE FROM t WHERE id > 1")
    assert database.next_id("t", "id") == NextId(4)
    legacy.execute("ALTER TABLE t AUTO_INCREMENT = 1")  # as a restart does
    assert database.next_id("t", "id") == NextId(2, returns="ids that are kept" in legacy.engine.lacks)


def test_a_view_and_a_missing_column_have_no_generator(legacy, database):
    legacy.execute("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY)")
    legacy.execute("CREATE VIEW v AS SELECT id FROM t")
    assert database.next_id("v", "id") == database.next_id("t", "ids") == NextId()


@pytest.mark.parametrize("legacy", MARIADB, indirect=True)
def test_a_sequence_is_told_and_not_guessed(legacy, database):
    legacy.execute("CREATE SEQUENCE s")
    legacy.execute("CREATE TABLE t (id int DEFAULT NEXT VALUE FOR s PRIMARY KEY)")
    legacy.execute("INSERT INTO t VALUES ()")
    found = database.next_id("t", "id")
    assert found.value is None
    assert "`s`" in found.unknown


@pytest.mark.parametrize("legacy", NEW_MYSQL, indirect=True)
def test_a_next_id_that_the_server_remembers_for_a_day_is_asked_anew(legacy, database):
    legacy.execute("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY)")
    legacy.execute("INSERT INTO t VALUES (NULL), (NULL)")
    cached = "SELECT auto_increment FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 't'"
    assert legacy.execute(cached) == [(3,)]
    legacy.execute("TRUNCATE TABLE t")
    assert database.next_id("t", "id").value == 1
