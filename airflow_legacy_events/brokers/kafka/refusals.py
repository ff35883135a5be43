"""Refusals: why a topic or a message is refused before anything is sent."""

from __future__ import annotations

import re
from typing import NamedTuple

from airflow_legacy_events.core.errors import ConfigurationError

UNKNOWN = "UNKNOWN_TOPIC_OR_PART"
ILLEGAL = "TOPIC_EXCEPTION"
FORBIDDEN = "TOPIC_AUTHORIZATION_FAILED"
FEW_REPLICAS = "NOT_ENOUGH_REPLICAS"
TOO_LARGE = "MSG_SIZE_TOO_LARGE"
INVALID = "INVALID_RECORD"

_LONGEST = 249
_OTHER = re.compile(r"[^a-zA-Z0-9._-]")
_INTERNAL = frozenset({"__consumer_offsets", "__transaction_state", "__share_group_state"})


class Refusal(NamedTuple):
    """Refusal of a message, as the broker would report it.

    Attributes:
        error: the broker's name of the error.
        reason: a sentence without the message's content.
    """

    error: str
    reason: str


class TopicRefusal(NamedTuple):
    """Why a topic can't be written to.

    Attributes:
        error: the broker's name of the error.
        reason: a sentence without the content of any message.
        remedy: what to do.
    """

    error: str
    reason: str
    remedy: str

    @property
    def of_message(self) -> Refusal:
        """Return the refusal of a message that names the topic."""
        return Refusal(self.error, self.reason)

    def raised(self) -> ConfigurationError:
        """Return the error of a run that would write to the topic."""
        return ConfigurationError(f"{self.reason}. Nothing was read; {self.remedy}")


def illegal(name: str) -> TopicRefusal | None:
    """Return why the topic name is invalid for everyone, else None; the reason does not repeat it."""
    if not name:
        found = "is empty"
    elif name in (".", ".."):
        found = "is '.' or '..'"
    elif other := _OTHER.search(name):
        found = f"has a character at position {other.start() + 1} that is not one of a-z, A-Z, 0-9, '.', '_' and '-'"
    elif len(name) > _LONGEST:
        found = f"has {len(name)} characters, {_LONGEST} are allowed"
    elif name in _INTERNAL:
        found = "is one of Kafka's own topics"
    else:
        return None
    return TopicRefusal(ILLEGAL, f"the topic's name {found}", f"correct {name!r}")
