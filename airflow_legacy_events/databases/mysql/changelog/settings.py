"""Settings of the server that a change log needs; each fault comes with the SQL that fixes it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.databases.mysql.changelog.ending import status_statement
from airflow_legacy_events.databases.mysql.changelog.server import LogServer
from airflow_legacy_events.databases.mysql.changelog.session import LogSession
from airflow_legacy_events.databases.mysql.replication import sources

_STATUS, _REPLICA = "looking at what the binlog leaves out", "checking whether the server is a replica"
_OLDEST = {True: (10, 2), False: (5, 6)}
_RESTART = "Then restart the server"


class Filters(NamedTuple):
    """Databases that alone are logged, and those that are not; None where that can't be known."""

    do: str | None = None
    ignore: str | None = None


def find_filters(session: LogSession, server: LogServer) -> Filters | None:
    """Return what the log leaves out, in at most one round trip; None if this user may not see it."""
    if "binlog_do_db" in server.variables:
        return Filters(server.variables["binlog_do_db"], server.variables.get("binlog_ignore_db"))
    rows = session.try_to(_STATUS, status_statement(session))
    if rows is None:
        return None
    return Filters(str(rows[0][2]), str(rows[0][3])) if rows else Filters()


def find_sources(session: LogSession, server: LogServer) -> list[str] | None:
    """Return the servers that this one replicates from, if it does not log that; None if it can't be known."""
    if server.updates_are_logged:
        return []
    with session.using(_REPLICA) as one:
        found = sources(one)
        if found is not None:
            return found
        running = one.rows("SHOW GLOBAL STATUS LIKE 'Slaves_running'")
        return ["another server"] if running and str(running[0][1]) != "0" else None


def faults(
    server: LogServer,
    filters: Filters | None,
    replicated: Collection[str] | None,
    databases: Collection[str],
    *,
    rds: bool,
) -> Iterator[ConfigurationError]:
    """Yield what keeps the log from being read.

    Args:
        server: with its settings.
        filters: of its log.
        replicated: servers that it replicates from without logging that.
        databases: of the tables.
        rds: whether it is managed by Amazon, where settings are those of a parameter group.
    """
    if server.version < _OLDEST[server.mariadb]:
        oldest = ".".join(map(str, _OLDEST[server.mariadb]))
        yield ConfigurationError(
            f"the server is {server.title}, whose change log is not read: it needs {oldest} or later. Use"
            " IncrementalQueryOperator"
        )
    if not server.is_on("log_bin"):
        yield _log_bin(server, rds=rds)
        return
    yield from _formats(server, rds=rds)
    if replicated and not server.updates_are_logged:
        name = "log_replica_updates" if "log_replica_updates" in server.variables else "log_slave_updates"
        yield ConfigurationError(
            f"the server replicates from {', '.join(replicated)} and {name} is OFF: what it replicates is not in its"
            f" log. Connect to its source, or set this in its configuration file:\n{name} = ON\n{_RESTART}"
        )
    yield from _filtered(filters, databases, folds=server.folds_names)


def _log_bin(server: LogServer, *, rds: bool) -> ConfigurationError:
    asked = "log_bin is OFF: the server writes no binlog, which is its change log; nothing was read"
    if "aurora_version" in server.variables:
        return ConfigurationError(
            f"{asked}\nConnect to the writer's endpoint: a reader of Aurora has no binlog; else set binlog_format = ROW"
            " in the cluster's parameter group, and reboot it"
        )
    if rds:
        return ConfigurationError(f"{asked}\nGive the instance automated backups, which turn on its binlog")
    return ConfigurationError(f"{asked}. Set this in its configuration file:\nlog_bin = binlog\n{_RESTART}")


def _formats(server: LogServer, *, rds: bool) -> Iterator[ConfigurationError]:
    image = server.text("binlog_row_image")
    wrong = {
        "binlog_format": (server.text("binlog_format"), "ROW", "only ROW logs the rows"),
        "binlog_row_image": (image, "FULL", "rows would lack their unchanged columns"),
        "binlog_row_value_options": (
            server.text("binlog_row_value_options"),
            "",
            "JSON values would be logged in parts, without the rest",
        ),
    }
    for name, (found, wanted, why) in wrong.items():
        if name in server.variables and found != wanted:
            yield ConfigurationError(
                f"{name} is {found}, and {why}; nothing was read. Sessions that are open keep it until they reconnect"
                f"\n{_set(name, wanted, rds=rds)}"
            )


def _set(name: str, value: str, *, rds: bool) -> str:
    if rds:
        return f"Set {name} = {value or 'an empty text'} in the instance's parameter group"
    return f"SET GLOBAL {name} = '{value}'"


def _filtered(filters: Filters | None, databases: Collection[str], *, folds: bool) -> Iterator[ConfigurationError]:
    if filters is None:
        return
    do, ignore = (_names(one, folds=folds) for one in filters)
    for database in sorted(databases):
        mine = database.lower() if folds else database
        if mine in ignore:
            yield _left_out(database, "binlog_ignore_db", f"has it: take out the line binlog_ignore_db = {database}")
        elif do and mine not in do:
            yield _left_out(database, "binlog_do_db", f"lacks it: add the line\nbinlog_do_db = {database}")


def _names(found: str | None, *, folds: bool) -> set[str]:
    return {one.lower() if folds else one for one in (found or "").split(",") if one}


def _left_out(database: str, setting: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"changes of database {database!r} are not in the binlog, since {setting} in the server's configuration file"
        f" {why}\n{_RESTART}"
    )
