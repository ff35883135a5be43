"""Rights of the user that a change log needs, and what the log would show of columns that it may not read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import LogTable
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.mysql.changelog.server import spelled
from airflow_legacy_events.databases.mysql.changelog.session import LogSession
from airflow_legacy_events.databases.mysql.grants import Grants

_EVERYWHERE = "*.*"


def find_grants(session: LogSession) -> Grants:
    """Return the rights of this user."""
    with session.using("looking at this user's rights") as one:
        return Grants.read(one)


def missing(grants: Grants, databases: Collection[str], *, mariadb: bool) -> Iterator[ConfigurationError]:
    """Yield what the user may not do, in one error with every GRANT.

    MariaDB needs REPLICATION SLAVE alone beside SELECT: its snapshots say where they stand in the log. MySQL's do not,
    so its tables are locked for a moment, and the server must show where its log ends.
    """
    wanted = ("REPLICATION SLAVE",) if mariadb else ("REPLICATION SLAVE", "REPLICATION CLIENT")
    lacking = [one for one in wanted if not grants.has(one, _EVERYWHERE)]
    unlocked = [] if mariadb else [one for one in sorted(databases) if not grants.has("LOCK TABLES", f"{one}.*")]
    found = [f"GRANT {', '.join(lacking)} ON *.* TO {grants.user}"] if lacking else []
    found += [f"GRANT LOCK TABLES ON {spelled(one)}.* TO {grants.user}" for one in unlocked]
    if found:
        rights = ", ".join((*lacking, *(["LOCK TABLES"] if unlocked else [])))
        what = f"user {grants.user} lacks {rights}, which reading the change log needs; nothing was read"
        yield errors.with_grants(ConfigurationError(what), found)


def hidden(tables: Sequence[LogTable]) -> Iterator[ConfigurationError]:
    """Yield what the log would show although the user may not read it: REPLICATION SLAVE needs no SELECT.

    The catalog hides names and types of such columns, so they can't even be left out.
    """
    for table in tables:
        withheld = table.reflection.withheld
        if withheld.on:
            named = f" {', '.join(map(repr, withheld.names))}" if withheld.names else "s whose names are hidden from it"
            yield ConfigurationError(
                f"table {str(table.name)!r}: this user may not read column{named}, which the log would show. Run the"
                f" GRANT below, and leave out with exclude_columns= what must not be sent\n{withheld.grant()}"
            )
