"""Checks of `message_topics=` and `transaction_topic=`, the topics of what is no row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core import templates
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.sources.roles import LAYOUTS
from airflow_legacy_events.streams.naming import holds_template

_ROLES = ("aggregate_type", "aggregate_id", "event_type", "id")
_NAMES = (*_ROLES, *(LAYOUTS["debezium"][role] for role in _ROLES))
_EXAMPLE = "{'outbox': 'outbox.event.{aggregate_type}'}"


def check(found: Any, *, late: bool) -> None:
    """Check the topics by prefix.

    Args:
        found: the argument.
        late: whether a text may still be a template that Airflow renders.

    Raises:
        ConfigurationError: it is wrong.
    """
    if found is None or (late and (_is_late(found) or hasattr(found, "resolve"))):
        return
    if not isinstance(found, Mapping) or not all(isinstance(one, str) and one for one in found):
        raise ConfigurationError(
            f"message_topics= must be a dict of prefixes and topics, such as {_EXAMPLE}; found {found!r}"
        )
    for prefix, topic in found.items():
        if not (late and (_is_late(prefix) or _is_late(topic) or hasattr(topic, "resolve"))):
            _check_topic(f"message_topics={{{prefix!r}: ...}}", topic)


def check_transactions(found: Any, *, late: bool) -> None:
    """Check the topic of transactions; see `check`.

    Raises:
        ConfigurationError: it is wrong.
    """
    if found is None or (late and (_is_late(found) or hasattr(found, "resolve"))):
        return
    if not isinstance(found, str) or not found.strip() or set(found) & {"{", "}"}:
        raise ConfigurationError(
            f"transaction_topic= must be one topic without braces, such as 'cdc.transactions'; found {found!r}"
        )


def _check_topic(what: str, topic: Any) -> None:
    if not isinstance(topic, str) or not topic.strip():
        raise ConfigurationError(f"{what} must be a topic, such as 'outbox.event.{{aggregate_type}}'; found {topic!r}")
    named = templates.columns_of(templates.parse(topic, what))
    if unknown := [name for name in named if name not in _NAMES]:
        raise ConfigurationError(
            f"{what} names {', '.join(map(repr, unknown))} in braces; correct it: a message's topic is made of"
            f" {', '.join(f'{{{one}}}' for one in _ROLES)}; found {topic!r}"
        )


def _is_late(found: Any) -> bool:
    return isinstance(found, str) and holds_template(found)
