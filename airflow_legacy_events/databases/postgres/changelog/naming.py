"""Names of slots, and of the sessions that use them."""

from __future__ import annotations

import re

from airflow_legacy_events.core import names
from airflow_legacy_events.core.errors import ConfigurationError

_SLOT = re.compile("[a-z0-9_]{1,63}")


def refuse_slot(name: str) -> None:
    """Check that a slot can have a name.

    Raises:
        ConfigurationError: it can't.
    """
    if not _SLOT.fullmatch(name):
        fitting = re.sub("[^a-z0-9_]", "_", name.lower())[:63] or "legacy_events"
        raise ConfigurationError(
            f"slot={name!r}: a replication slot's name has 1 to 63 lower-case letters, digits and underscores, such as"
            f" slot={fitting!r}"
        )


def application_of(stream: str) -> str:
    """Return the application name of a stream's replication sessions."""
    return f"legacy-events-log-{names.digest(stream, 16)}"
