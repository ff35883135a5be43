"""Messages without a key: refused by compacted topics, because compaction keeps the last message of each key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import BrokerClient

_POLICY = "cleanup.policy"


def check_topic_config(config: Mapping[str, str] | None) -> None:
    """Check that no compacted topic would be created.

    Args:
        config: of topics that are created.

    Raises:
        ConfigurationError: one would be.
    """
    if "compact" in str((config or {}).get(_POLICY, "")):
        raise _compacted(f"topic_config= has {_POLICY}={config[_POLICY]}" if config else "")


def check_topics(broker: BrokerClient, topics: Iterable[str | None]) -> None:
    """Check that no topic is compacted, as far as the broker knows; the broker is open.

    Raises:
        ConfigurationError: naming those that are.
    """
    if compacted := broker.compacted([name for name in topics if name is not None]):
        raise _compacted(f"topic {', '.join(map(repr, compacted))} has {_POLICY}=compact")


def _compacted(what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{what}, which accepts no message without a key, but key_columns=[] produces such messages; nothing was read."
        "\nName a topic with cleanup.policy=delete, or the columns that identify a row with key_columns=[...]"
    )
