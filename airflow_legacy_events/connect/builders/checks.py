"""Arguments of the builders: names, references to secrets, and the properties that have the last word."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.names import cut

_LONGEST_NAME = 63
"""Of a replication slot or publication; see the PostgreSQL documentation, section 4.1.1."""
_PREFIX = re.compile(r"[A-Za-z0-9._-]+")
_LOWEST_SERVER_ID, _SERVER_IDS = 10_000, 2_000_000_000


def prefix(topic_prefix: Any) -> str:
    """Return the topic prefix.

    Raises:
        ConfigurationError: Kafka can't name a topic like that.
    """
    if not isinstance(topic_prefix, str) or _PREFIX.fullmatch(topic_prefix) is None:
        raise ConfigurationError(
            "topic_prefix= must be letters, digits, '.', '_' and '-', since every topic of the connector begins with"
            f" it; found {topic_prefix!r}"
        )
    return topic_prefix


def names(argument: str, found: Any, parts: int, example: str) -> tuple[str, ...]:
    """Return the names of tables or topics.

    Args:
        argument: for messages.
        found: what was given.
        parts: that a name needs, separated by dots.
        example: of one.

    Raises:
        ConfigurationError: it is not a list of such names.
    """
    if isinstance(found, str) or not isinstance(found, Sequence) or not found:
        raise ConfigurationError(f"{argument}= must be a list of names, such as [{example!r}]; found {found!r}")
    for one in found:
        if not isinstance(one, str) or "," in one or not all(one.split(".")) or one.count(".") + 1 < parts:
            raise ConfigurationError(f"{argument}= needs names such as {example!r}; found {one!r}")
    if len(set(found)) < len(found):
        raise ConfigurationError(f"{argument}= names one twice: {', '.join(map(repr, sorted(found)))}")
    return tuple(found)


def secret(password: Any, default: str) -> str:
    """Return the value of a password property: a reference, never the password itself.

    Args:
        password: as given; None: that of the connection, filled in when the config is applied.
        default: the placeholder of the connection's password.

    Raises:
        ConfigurationError: it is no reference.
    """
    if password is None:
        return default
    if not isinstance(password, str) or not ("${" in password or "{{" in password):
        raise ConfigurationError(
            "password= must be a reference that the Connect worker resolves, such as '${env:CRM_PASSWORD}' or"
            " '${file:/etc/crm.properties:password}', not a password. Leave it out to use that of the connection"
        )
    return password


def identifier(name: str) -> str:
    """Return a name for a replication slot or publication: lower case letters, digits and `_`."""
    return cut(re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_") or "legacy_events", _LONGEST_NAME).replace("~", "_")


def server_id(name: str) -> str:
    """Return a server id for a reader of the binary log, derived from its name."""
    return str(_LOWEST_SERVER_ID + zlib.crc32(name.encode()) % _SERVER_IDS)


def overridden(config: Mapping[str, Any], properties: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the config with `properties` over it, as the texts that Connect keeps; None takes a property out."""
    if properties is not None and not isinstance(properties, Mapping):
        raise ConfigurationError(f"properties= must be a mapping of Connect's properties; found {properties!r}")
    joined = {**config, **(properties or {})}
    return {str(name): text(value) for name, value in joined.items() if value is not None}


def text(value: Any) -> str:
    """Return a property's value as Connect keeps it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ",".join(map(text, value))
    return str(value)
