"""Facts that a MySQL or MariaDB server reports about itself and the current user."""

from __future__ import annotations

from airflow_legacy_events.core.about import About
from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.expressions import values_of
from airflow_legacy_events.databases.mysql.database import MysqlDatabase

_PRIVILEGES = ("USER_PRIVILEGES", "SCHEMA_PRIVILEGES", "TABLE_PRIVILEGES", "COLUMN_PRIVILEGES")
# A grantee is written as 'name'@'host'.
_ME = "CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')"
_WRITES = " OR ".join(
    f"EXISTS (SELECT 1 FROM information_schema.{name} WHERE GRANTEE = {_ME}"  # noqa: S608
    " AND PRIVILEGE_TYPE IN ('INSERT', 'UPDATE', 'DELETE'))"
    for name in _PRIVILEGES
)
_EXPRESSIONS = (
    "VERSION()",
    "COALESCE(DATABASE(), '')",
    "@@GLOBAL.time_zone",
    "@@system_time_zone",
    "CURRENT_USER()",
    f"({_WRITES})",
    "@@GLOBAL.read_only",
)


def about(database: MysqlDatabase) -> About:
    """Return the server's facts, with two statements. Rights granted through roles are not queried.

    Raises:
        SourceError: the server can't be reached or refused the statement.
    """
    version, name, zone, system, user, writes, read_only = map(_text, values_of(database, _EXPRESSIONS))
    product = "MariaDB" if "mariadb" in version.lower() else "MySQL"
    return About(
        f"{product} {version.removeprefix('5.5.5-')}",
        repr(name) if name else "not named",
        system if zone == "SYSTEM" else zone,
        repr(user),
        True if writes == "1" else None if _has_role(database) else False,
        read_only == "1",
    )


def _has_role(database: MysqlDatabase) -> bool:
    """Whether the session has rights through a role; MySQL before 8 has no roles."""
    try:
        (role,) = values_of(database, ("COALESCE(CURRENT_ROLE(), '')",))
    except SourceError:
        return False
    return _text(role) not in ("", "NONE")


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
