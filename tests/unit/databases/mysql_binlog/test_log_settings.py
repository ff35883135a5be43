"""What settings mean for the binlog, on servers that tests do not have: Amazon's, and old or new releases."""

from __future__ import annotations

import pytest

from airflow_legacy_events.databases.mysql.changelog import retention, settings
from airflow_legacy_events.databases.mysql.changelog.server import LogServer
from airflow_legacy_events.databases.mysql.changelog.settings import Filters

FINE = {"log_bin": "ON", "binlog_format": "ROW", "binlog_row_image": "FULL"}


def server(mariadb=False, version=(8, 0, 36), **variables):
    return LogServer(mariadb, version, {**FINE, **variables})


def faults(found, filters=None, replicated=(), databases=("shop",), *, rds=False):
    return [str(one) for one in settings.faults(found, filters, replicated, set(databases), rds=rds)]


def test_a_reader_of_aurora_is_named():
    [fault] = faults(server(log_bin="OFF", aurora_version="3.05"))
    assert "writer's endpoint" in fault.splitlines()[1]


def test_settings_of_amazon_are_those_of_a_parameter_group():
    found = faults(server(binlog_format="MIXED", binlog_row_image="MINIMAL"), rds=True)
    assert [one.splitlines()[1] for one in found] == [
        "Set binlog_format = ROW in the instance's parameter group",
        "Set binlog_row_image = FULL in the instance's parameter group",
    ]
    assert "automated backups" in faults(server(log_bin="OFF"), rds=True)[0]


@pytest.mark.parametrize("old", [server(version=(5, 5, 62)), server(mariadb=True, version=(10, 1, 48))])
def test_releases_that_are_too_old_are_refused(old):
    assert "or later. Use IncrementalQueryOperator" in faults(old)[0]


@pytest.mark.parametrize(
    ("filters", "folds", "named"),
    [
        (Filters("", ""), "0", None),
        (Filters("a,shop", ""), "0", None),
        (Filters("a,Shop", ""), "0", "binlog_do_db"),
        (Filters("a,Shop", ""), "1", None),
        (Filters("", "b,shop"), "0", "binlog_ignore_db"),
        (None, "0", None),
    ],
)
def test_what_the_log_leaves_out_is_compared_as_the_server_compares_names(filters, folds, named):
    found = faults(server(lower_case_table_names=folds), filters)
    assert [named is not None and named in one for one in found] == [True] * (named is not None)


def test_a_replica_that_logs_nothing_is_refused_and_one_that_is_not_known_is_not():
    assert "log_replica_updates = ON" in faults(server(log_replica_updates="OFF"), replicated=["db:3306"])[0]
    assert "log_slave_updates = ON" in faults(server(log_slave_updates="OFF"), replicated=["db:3306"])[0]
    assert faults(server(log_slave_updates="OFF"), replicated=None) == []


@pytest.mark.parametrize(
    ("variables", "statement"),
    [
        ({"binlog_expire_logs_seconds": "0", "expire_logs_days": "0"}, None),
        ({"binlog_expire_logs_seconds": "3600", "expire_logs_days": "0"}, "binlog_expire_logs_seconds = 172800"),
        ({"binlog_expire_logs_seconds": "86400"}, None),
        ({"expire_logs_days": "0.5"}, "expire_logs_days = 2"),
        ({"binlog_expire_logs_seconds": "60", "binlog_expire_logs_auto_purge": "OFF"}, None),
    ],
)
def test_a_log_that_is_kept_for_less_than_an_interval_is_warned_of(variables, statement):
    found = list(retention.warnings(server(**variables), None, 86_400.0))
    assert [one.splitlines()[1] for one in found] == ([f"SET GLOBAL {statement}"] if statement else [])
    assert list(retention.warnings(server(**variables), None, None)) == []


@pytest.mark.parametrize(
    ("hours", "interval", "kept"), [(None, None, "at once"), (24.0, 90_000.0, "24 h"), (24.0, 60.0, "")]
)
def test_amazon_s_own_table_says_how_long_a_log_is_kept(hours, interval, kept):
    found = list(retention.warnings(server(binlog_expire_logs_seconds="60"), retention.Rds(hours), interval))
    assert [kept in one and "CALL mysql.rds_set_configuration" in one for one in found] == [True] * bool(kept)


def test_a_bound_on_the_size_of_the_log_is_warned_of():
    assert list(retention.bound_by_size(server(max_binlog_total_size="0"))) == []
    assert "1073741824" in next(retention.bound_by_size(server(mariadb=True, max_binlog_total_size="1073741824")))


@pytest.mark.parametrize(
    ("found", "logs"),
    [
        (server(version=(9, 6, 0)), True),
        (server(version=(9, 7, 4), innodb_native_foreign_keys="ON"), False),
        (server(version=(8, 4, 0)), False),
        (server(mariadb=True, version=(11, 8, 2)), False),
    ],
)
def test_who_logs_what_foreign_keys_change(found, logs):
    assert found.logs_foreign_keys == logs


def test_gtids_count_where_other_servers_know_them():
    assert server(gtid_mode="ON", gtid_executed="a:1").gtids == "a:1"
    assert server(gtid_mode="OFF", gtid_executed="a:1").gtids is None
    assert server(mariadb=True, gtid_binlog_state="0-1-7").gtids == "0-1-7"
    assert server(mariadb=True, gtid_binlog_state="0-1-7", wsrep_on="ON").gtids is None
    assert server(mariadb=True, gtid_binlog_state="0-1-7", wsrep_on="ON", wsrep_gtid_mode="ON").gtids == "0-1-7"


def test_a_server_is_told_by_its_own_id_or_its_address():
    assert server(server_uuid="u", hostname="h").identity == {"server_uuid": "u"}
    assert server(mariadb=True, server_uid="w", hostname="h").identity == {"server_uid": "w"}
    assert server(mariadb=True, hostname="h", port="3306").identity == {"hostname": "h", "port": "3306"}
