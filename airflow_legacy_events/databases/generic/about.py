"""What a database says of itself that only its SQLAlchemy dialect knows."""

from __future__ import annotations

from airflow_legacy_events.core.about import About
from airflow_legacy_events.databases.generic.database import GenericDatabase


def about(database: GenericDatabase) -> About:
    """Return what its dialect found out when it connected.

    Raises:
        SourceError: it can't be reached, or does not answer.
    """
    found = database.identity()
    return About(
        " ".join(filter(None, (database.backend, database.server_version))),
        repr(found.get("database", "")),
        role=repr(database.url.username) if database.url.username else None,
    )
