"""PostgreSQL errors that concern a row or hidden rows, translated to this package's errors."""

from __future__ import annotations

from collections.abc import Collection

import psycopg

from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.databases import errors
from airflow_legacy_events.databases.postgres.encoding import REMEDY, UNREADABLE
from airflow_legacy_events.databases.postgres.policies import is_policy, policy_refused
from airflow_legacy_events.databases.postgres.pooling import refuses_transactions, shared
from airflow_legacy_events.databases.postgres.reading import too_large
from airflow_legacy_events.databases.postgres.sizes import too_large_in


def refused(
    error: Exception, *, conn_id: str, user: str | None, names: Collection[str], most: int
) -> LegacyEventsError | None:
    """Return the error for a row that can't be carried, or that may be hidden; None for any other error.

    Args:
        error: of the driver.
        conn_id: Airflow's name of the connection.
        user: of the database; None: libpq's default.
        names: of the known columns.
        most: row size limit in bytes.
    """
    if isinstance(error, UNREADABLE):
        return errors.unreadable(conn_id, None, REMEDY)
    if not isinstance(error, psycopg.Error):
        return None
    if refuses_transactions(error):
        return shared(conn_id)
    if is_policy(error):
        return policy_refused(conn_id, user or "CURRENT_USER", error)
    sizes = too_large_in(error.diag.message_primary or "", names)
    return None if sizes is None else too_large(conn_id, sizes, most)
