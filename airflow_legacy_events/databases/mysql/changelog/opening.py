"""Opens the change log of a connection, from all of its parts."""

from __future__ import annotations

import functools

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import LogOptions
from airflow_legacy_events.databases.mysql.changelog.access import Access
from airflow_legacy_events.databases.mysql.changelog.dump import BinlogDump
from airflow_legacy_events.databases.mysql.changelog.log import BinlogChangeLog
from airflow_legacy_events.databases.mysql.changelog.model import BinlogAccess
from airflow_legacy_events.databases.mysql.changelog.server import find_server
from airflow_legacy_events.databases.mysql.changelog.session import LogSession


def open_log(access: Access, options: LogOptions) -> BinlogChangeLog:
    """Return the change log of a server; it connects on first use.

    Args:
        access: ways into it.
        options: of the stream.

    Raises:
        ConfigurationError: an option is one of PostgreSQL's.
    """
    _refuse_options(access.conn_id, options)
    session = LogSession(access.connect, access.conn_id, access.timeout_seconds)
    server = functools.cache(lambda: find_server(session))
    found = BinlogAccess(
        conn_id=access.conn_id,
        dump=lambda: BinlogDump(access.conn_id, access.options(), access.timeout_seconds, server().told_by),
        ask=session.ask,
        hold=access.hold,
        look=access.look,
        timeout_seconds=access.timeout_seconds,
        max_row_bytes=access.max_row_bytes,
        log=access.log,
    )
    return BinlogChangeLog(session, found, server, access.database, options)


def _refuse_options(conn_id: str, options: LogOptions) -> None:
    given = {
        "slot=": options.slot,
        "publication=": options.given and options.publication,
        "message_topics=": options.messages,
    }
    if names := [name for name, value in given.items() if value]:
        raise ConfigurationError(
            f"leave out {', '.join(names)}: connection {conn_id!r} leads to MariaDB or MySQL, whose log has no slots,"
            " publications and logical messages, which are PostgreSQL's; nothing was read"
        )
