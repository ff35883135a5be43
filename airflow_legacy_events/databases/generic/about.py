"""Facts about a database that is known only through its SQLAlchemy dialect."""

from __future__ import annotations

from airflow_legacy_events.core.about import About
from airflow_legacy_events.databases.generic.database import GenericDatabase


def about(database: GenericDatabase) -> About:
    """Return the facts that its dialect determined while connecting.

    Raises:
        SourceError: the database can't be reached or does not answer.
    """
    found = database.identity()
    return About(
        " ".join(filter(None, (database.backend, database.server_version))),
        repr(found.get("database", "")),
        role=repr(database.url.username) if database.url.username else None,
    )
