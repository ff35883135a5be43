"""What a server of MariaDB or MySQL says of its binlog, in one statement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from airflow_legacy_events.databases.mysql.changelog.session import LogSession
from airflow_legacy_events.databases.mysql.grants import quoted

_NAMES = (
    *("log_bin", "binlog_format", "binlog_row_image", "binlog_row_metadata", "binlog_row_value_options"),
    *("binlog_do_db", "binlog_ignore_db", "log_slave_updates", "log_replica_updates", "read_only", "gtid_slave_pos"),
    *("server_uuid", "server_uid", "hostname", "port", "server_id", "lower_case_table_names", "wsrep_on"),
    *("gtid_mode", "gtid_executed", "gtid_purged", "gtid_binlog_state", "wsrep_gtid_mode"),
    *("innodb_native_foreign_keys", "expire_logs_days", "binlog_expire_logs_seconds", "binlog_expire_logs_auto_purge"),
    *("max_binlog_total_size", "aurora_version", "aurora_server_id", "sql_mode"),
)
_VARIABLES = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('{}')".format("', '".join(_NAMES))
_LOGS_FOREIGN_KEYS_SINCE = (9, 6)
_ON = ("1", "ON")


class LogServer(NamedTuple):
    """A server, as it is when a run begins.

    Attributes:
        mariadb: whether it is MariaDB.
        version: of it.
        variables: its global variables that concern the log; those that it does not have are missing.
    """

    mariadb: bool
    version: tuple[int, ...]
    variables: Mapping[str, str]

    @property
    def product(self) -> str:
        """`mariadb` or `mysql`."""
        return "mariadb" if self.mariadb else "mysql"

    @property
    def title(self) -> str:
        """Its name and version, for messages."""
        return f"{'MariaDB' if self.mariadb else 'MySQL'} {'.'.join(map(str, self.version))}"

    @property
    def identity(self) -> dict[str, str]:
        """What tells it from others: its own ID or, if it has none, its host and port."""
        for name in ("server_uuid", "server_uid"):
            if found := self.variables.get(name):
                return {name: found}
        return {name: self.variables.get(name, "") for name in ("hostname", "port")}

    @property
    def told_by(self) -> dict[str, str]:
        """What tells sessions that land on it from others."""
        return {**self.identity, "server_id": self.variables.get("server_id", "")}

    @property
    def gtids(self) -> str | None:
        """GTIDs of its log as it writes them; None where transactions have none that other servers know."""
        if not self.mariadb:
            return self.variables.get("gtid_executed", "") if self.text("gtid_mode").startswith("ON") else None
        if self.is_on("wsrep_on") and not self.is_on("wsrep_gtid_mode"):  # each node numbers by itself
            return None
        return self.variables.get("gtid_binlog_state")

    @property
    def folds_names(self) -> bool:
        """Whether it compares names of databases and tables without regard to case."""
        return self.text("lower_case_table_names") not in ("", "0")

    @property
    def logs_foreign_keys(self) -> bool:
        """Whether changes that foreign keys make to a child table are in the log."""
        native = self.is_on("innodb_native_foreign_keys")
        return not self.mariadb and self.version >= _LOGS_FOREIGN_KEYS_SINCE and not native

    @property
    def updates_are_logged(self) -> bool:
        """Whether a replica logs what it replicates."""
        return self.is_on("log_slave_updates") or self.is_on("log_replica_updates")

    def text(self, name: str) -> str:
        """Return a variable in upper case; empty if it has none of that name."""
        return self.variables.get(name, "").upper()

    def is_on(self, name: str) -> bool:
        """Return whether a variable is on."""
        return self.text(name) in _ON


def find_server(session: LogSession) -> LogServer:
    """Return what the server says of itself, in one round trip."""
    with session.using("looking at the server's settings") as one:
        rows = one.rows(_VARIABLES)
        return LogServer(one.mariadb, one.version, {str(name).lower(): str(value) for name, value in rows})


def spelled(*names: str) -> str:
    """Return a name of a table or database as SQL spells it."""
    return ".".join(map(quoted, names))
