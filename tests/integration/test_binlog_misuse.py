"""Misuses of the change log of MariaDB and MySQL: one error each, and what it says to run heals it."""

from __future__ import annotations

import contextlib
import logging
import threading
from contextlib import closing

import MySQLdb
import pytest

from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.ports import LogOptions
from airflow_legacy_events.databases.mysql.changelog import locking
from airflow_legacy_events.sources.changelog import ChangeLogSource
from tests.support.binlog_servers import MADE
from tests.support.binlogs import BINLOGGED, SERVERS, binlogged_database, binlogged_on
from tests.support.crashes import STREAM
from tests.support.profile import LONG

TABLE = "CREATE TABLE orders (id int PRIMARY KEY, note varchar(9))"
RUNS = ("ALTER ", "CALL ", "DROP ", "GRANT ", "KILL ", "SET ", "XA ")
MYSQL = [name for name in BINLOGGED if name.startswith("mysql-9")]
KEEPS_PREPARED = [name for name in BINLOGGED if name != "mysql-5.6"]
"""MySQL 5.6 rolls a prepared transaction back once its session ends."""

MARIADB = [name for name in BINLOGGED if name.startswith("mariadb")]


def statements_in(text):
    return [line for line in str(text).splitlines() if line.startswith(RUNS)]


def refused(logged):
    with pytest.raises(LegacyEventsError) as error:
        logged.begin()
    return error.value


def opened(logged, topic="cdc.{schema}.{table}"):
    """What a source says of itself once it is opened."""
    source = ChangeLogSource(
        database=logged.legacy.database(),
        options=LogOptions(STREAM.name, "dag"),
        stream=STREAM._replace(topic=topic),
        source="crm",
        tables=logged.patterns,
    )
    with closing(source.database), closing(source):
        return source.open(None).horizon


@pytest.fixture(params=BINLOGGED)
def logged(request):
    with binlogged_database(request, request.param, TABLE) as found:
        yield found
        with contextlib.suppress(MySQLdb.Error):  # it would hold its table for good
            found.execute(f"XA ROLLBACK '{found.legacy.url.database}'")


def prepared(logged):
    """Statements that leave a prepared transaction, whose name is that of the database."""
    name = f"'{logged.legacy.url.database}'"
    return [f"XA START {name}", "INSERT INTO orders VALUES (1, 'a')", f"XA END {name}", f"XA PREPARE {name}"]


@pytest.fixture(scope="module", params=BINLOGGED if LONG else BINLOGGED[:1])
def server(request):
    """A server whose settings are changed."""
    found = MADE[SERVERS[request.param]](shared=False)
    yield found, request.param
    found.stop()


@pytest.fixture
def alone(server):
    with binlogged_on(*server, TABLE) as found:
        yield found


def test_a_table_without_a_key_is_given_one(logged):
    logged.execute("DROP TABLE orders", "CREATE TABLE orders (id int NOT NULL, note varchar(9))")
    with pytest.raises(LegacyEventsError, match="no primary key") as error:
        opened(logged)
    logged.execute(*statements_in(error.value))
    assert opened(logged).completeness == "exact"


@pytest.mark.parametrize("rule", ["ON DELETE CASCADE", "ON DELETE SET NULL ON UPDATE CASCADE"])
def test_what_a_foreign_key_changes_is_said_not_to_be_logged(logged, rule):
    logged.execute("CREATE TABLE `the ``parent``` (id int PRIMARY KEY)")
    key = f"CONSTRAINT `it``s` FOREIGN KEY (p, p2) REFERENCES `the ``parent``` (id, id2) {rule}"
    logged.execute("ALTER TABLE `the ``parent``` ADD id2 int NOT NULL, ADD UNIQUE (id, id2)")
    logged.execute(f"CREATE TABLE child (id int PRIMARY KEY, p int, p2 int, {key})")
    horizon = opened(logged)
    completeness, reason = horizon.completeness, horizon.reason
    if logged.legacy.engine.name == "mysql-9.7":
        assert completeness == "exact"
        return
    assert completeness == "best_effort"
    assert "`it``s`" in reason
    assert all(part in reason for part in rule.split(" ON "))
    logged.execute(reason[reason.index("ALTER TABLE") :])
    assert opened(logged).completeness == "exact"


def test_the_database_of_a_topic_is_that_of_the_table(logged):
    assert opened(logged, topic="cdc.{database}.{table}").topics == (f"cdc.{logged.legacy.url.database}.orders",)


def test_a_foreign_key_that_changes_nothing_is_fine(logged):
    logged.execute("CREATE TABLE child (id int PRIMARY KEY, p int, FOREIGN KEY (p) REFERENCES orders (id))")
    assert opened(logged).completeness == "exact"


@pytest.mark.parametrize("logged", KEEPS_PREPARED, indirect=True)
@pytest.mark.parametrize("end", ["XA COMMIT", "XA ROLLBACK"])
def test_a_prepared_transaction_that_does_not_end_is_named(logged, end):
    with logged.legacy.ended() as session:
        for statement in prepared(logged):
            session.execute(statement)
    logged.timeout = 0.2
    error = refused(logged)
    [statement] = [one for one in statements_in(error) if one.startswith(end)]
    logged.timeout = 60.0
    logged.execute(statement)
    logged.begin()
    assert logged.run() == []


@pytest.mark.parametrize("logged", KEEPS_PREPARED, indirect=True)
def test_a_prepared_transaction_that_ends_is_waited_for(logged):
    with logged.legacy.ended() as session:
        for statement in prepared(logged):
            session.execute(statement)
    ended = threading.Timer(0.2, lambda: logged.execute(f"XA COMMIT '{logged.legacy.url.database}'"))
    ended.start()
    logged.begin()
    assert logged.run() == []
    ended.join()


@pytest.mark.parametrize("logged", MYSQL, indirect=True)
@pytest.mark.parametrize("xa", [False, True])
def test_writers_that_do_not_end_are_named(logged, xa, monkeypatch):
    monkeypatch.setattr(locking, "PATIENCE_SECONDS", 0.0)
    logged.begin()
    with logged.legacy.connect() as session:
        for statement in prepared(logged) if xa else ("BEGIN", "INSERT INTO orders VALUES (1, 'a')"):
            session.execute(statement)
        [(number,)] = session.execute("SELECT CONNECTION_ID()").fetchall()
        named = "prepared XA transaction X'" if xa else f"session {number} of 'admin', which writes to"
        with logged.log() as log:
            log.open()
            with pytest.raises(LegacyEventsError, match=named), log.change_log.snapshot(log.tables):
                pass
            session.execute(f"XA COMMIT '{logged.legacy.url.database}'" if xa else "ROLLBACK")
            with log.change_log.snapshot(log.tables):
                session.execute("INSERT INTO orders VALUES (2, 'b')")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("CREATE VIEW other AS SELECT * FROM orders", "a view"),
        ("CREATE SEQUENCE other", "a sequence"),
        ("CREATE TABLE other (id int PRIMARY KEY) ENGINE=MERGE", "its rows are those of other tables"),
    ],
)
@pytest.mark.parametrize("logged", MARIADB, indirect=True)
def test_what_has_no_log_is_refused_by_name_and_left_out_of_all(logged, made, said):
    logged.execute(made)
    database = logged.legacy.url.database
    logged.begin()
    logged.patterns = (f"{database}.other",)
    assert said in str(refused(logged))


def test_names_that_stand_for_no_table_are_refused_together(logged):
    database = logged.legacy.url.database
    logged.patterns = (f"{database}.order", "orders", "mysql.*", f"{database}_none.*", f"{database}.orders")
    error = str(refused(logged))
    assert "similar: orders" in error
    assert all(one in error for one in ("names no database", "server's own catalog", "stands for all tables"))
    assert error.count("GRANT SELECT") == 2
    logged.patterns = (f"{database.upper()}.ORDERS",) if database.upper() == database else (f"{database}.ORDERS",)
    logged.begin()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("binlog_format = 'STATEMENT'", "binlog_format is STATEMENT"),
        ("binlog_row_image = 'MINIMAL'", "binlog_row_image is MINIMAL"),
        ("binlog_row_value_options = 'PARTIAL_JSON'", "in parts"),
    ],
)
def test_a_setting_that_keeps_rows_from_the_log_is_said_with_its_sql(alone, wrong, named):
    if "value_options" in wrong and alone.legacy.engine.name != "mysql-9.7":
        alone.execute("SET GLOBAL binlog_format = 'MIXED'")
        named = "binlog_format is MIXED"
    else:
        alone.execute(f"SET GLOBAL {wrong}")
    error = refused(alone)
    assert named in str(error)
    alone.execute(*statements_in(error))
    alone.begin()


def test_a_log_that_is_kept_too_short_is_warned_of(alone, caplog):
    short = {"mysql-5.6": "expire_logs_days = 1"}.get(alone.legacy.engine.name, "binlog_expire_logs_seconds = 3600")
    alone.execute(f"SET GLOBAL {short}")
    alone.interval = 7 * 86_400.0
    with caplog.at_level(logging.WARNING):
        alone.begin()
    [warning] = [one.getMessage() for one in caplog.records if "is kept for" in one.getMessage()]
    alone.execute(*statements_in(warning))
    caplog.clear()
    alone.begin()
    assert not caplog.records


def test_the_retention_of_amazon_overrides_the_settings(alone, caplog):
    alone.execute(
        "CREATE TABLE mysql.rds_configuration (name varchar(100), value varchar(100))",
        "INSERT INTO mysql.rds_configuration VALUES ('binlog retention hours', NULL)",
        "CREATE PROCEDURE mysql.rds_set_configuration (n varchar(100), v int)"
        " UPDATE mysql.rds_configuration SET value = v WHERE name = n",
        "SET GLOBAL binlog_row_image = 'MINIMAL'",
    )
    assert "parameter group" in str(refused(alone))
    alone.execute("SET GLOBAL binlog_row_image = 'FULL'")
    try:
        with caplog.at_level(logging.WARNING):
            alone.begin()
        [warning] = [one.getMessage() for one in caplog.records if "rds_configuration" in one.getMessage()]
        assert "removed at once" in warning
        alone.execute(*statements_in(warning))
        caplog.clear()
        alone.begin()
        assert not caplog.records
    finally:
        alone.execute("DROP TABLE mysql.rds_configuration", "DROP PROCEDURE mysql.rds_set_configuration")
