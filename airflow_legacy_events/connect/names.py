"""Names: those of connectors that a worker can serve, and how SQL spells those of PostgreSQL."""

from __future__ import annotations

import re

from airflow_legacy_events.core.errors import ConfigurationError

_NOT_SERVED = "/%"


def check_name(name: object) -> str:
    """Return the name of a connector.

    Kafka Connect creates a connector of any name, but answers 400 to every path with an encoded ``/`` or ``%`` in it:
    such a connector can't be stopped or deleted.

    Raises:
        ConfigurationError: no worker can serve the name.
    """
    if not isinstance(name, str) or not name.strip() or name != name.strip():
        raise ConfigurationError(
            f"connector= must be a name without blanks at its ends, such as 'crm-source'; found {name!r}"
        )
    if any(one in _NOT_SERVED or not one.isprintable() for one in name):
        raise ConfigurationError(
            f"connector= must have no '/', '%' or control character; found {name!r}. Kafka Connect would create the"
            " connector, but answer no request for it"
        )
    return name


def spelled(*parts: str) -> str:
    """Return a name of PostgreSQL as SQL spells it: its parts are quoted where they have to be, and joined by dots."""
    plain = re.compile(r"[a-z_][a-z0-9_]*")
    return ".".join(one if plain.fullmatch(one) else '"' + one.replace('"', '""') + '"' for one in parts)
