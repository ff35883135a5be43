"""Opens the change log of a connection: the packages that it needs are loaded then, since queries do without them."""

from __future__ import annotations

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import ChangeLog, LogOptions
from airflow_legacy_events.databases.mysql.changelog.access import Access


def opened(access: Access, options: LogOptions) -> ChangeLog:
    """Return the change log of a server.

    Raises:
        ConfigurationError: a package is not installed, or an option is one of PostgreSQL's.
    """
    try:
        from airflow_legacy_events.databases.mysql.changelog.opening import open_log  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "pip install 'airflow-legacy-events[mysql]' brings what reading the change log of connection"
            f" {access.conn_id!r} needs: package {error.name!r} is not installed; nothing was read"
        ) from None
    return open_log(access, options)
