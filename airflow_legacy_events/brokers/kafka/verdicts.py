"""Delivery reports: whether an error rejects one message or a whole topic, or leaves the fate unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from confluent_kafka import KafkaError

REJECTED = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,  # larger than a segment of the topic
        KafkaError.INVALID_RECORD,  # no key on a compacted topic, or a failed validation by the broker
        KafkaError.INVALID_TIMESTAMP,
    }
)
"""The broker read the records and will never accept them. It judges record batches: each single message may be valid.

Not here: `INVALID_MSG`, a wrong checksum, which is the network's fault and retried by librdkafka until the timeout.
"""

REFUSED = frozenset(
    {
        KafkaError._UNKNOWN_TOPIC,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.TOPIC_EXCEPTION,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.NOT_ENOUGH_REPLICAS,
        KafkaError.INVALID_REQUIRED_ACKS,
        KafkaError.UNSUPPORTED_FOR_MESSAGE_FORMAT,
        KafkaError.UNSUPPORTED_COMPRESSION_TYPE,
        KafkaError.POLICY_VIOLATION,
    }
)
"""Nothing was written, for a reason that holds for the whole topic. Every other error leaves the fate unknown."""


HOPELESS = frozenset({KafkaError._AUTHENTICATION, KafkaError._SSL})
"""Errors after which waiting is useless: no broker will accept this client."""

UNANSWERED = frozenset(
    {
        KafkaError._TIMED_OUT,
        KafkaError._TIMED_OUT_QUEUE,
        KafkaError._TRANSPORT,
        KafkaError._RESOLVE,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._AUTHENTICATION,
        KafkaError._SSL,
    }
)
"""Client errors for a request that no broker answered."""

_FORBIDDEN = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED})

ALL_BROKERS_DOWN = KafkaError._ALL_BROKERS_DOWN
"""Follows the error with the actual reason, and says less."""


def is_forbidden(error: Exception) -> bool:
    """Return whether an ACL is missing for a request."""
    found = error.args[0] if error.args else None
    return isinstance(found, KafkaError) and found.code() in _FORBIDDEN


class Failure(NamedTuple):
    """A message's delivery report."""

    code: int
    name: str
    reason: str
    topic: str
    key: bytes | None
    value: bytes | None

    @classmethod
    def of(cls, error: Any, message: Any) -> Failure:
        """Copy what librdkafka reports, because its objects live only as long as the callback."""
        return cls(error.code(), error.name(), error.str(), message.topic(), message.key(), message.value())


def fatal(failures: Sequence[Failure], seconds: float) -> str | None:
    """Return why these failures end the run; None if each message may be resent and judged alone.

    Args:
        failures: of any number of messages.
        seconds: the delivery timeout.
    """
    worst = [failure for failure in failures if failure.code not in REJECTED]
    if not worst:
        return None
    refused = [failure for failure in worst if failure.code in REFUSED]
    if len(refused) == len(worst):
        return f"the broker refused {len(worst)} messages: {worst[0].name}: {worst[0].reason}"
    first = next(failure for failure in worst if failure.code not in REFUSED)
    return (
        f"{len(worst)} messages were not acknowledged within {seconds:g} s, and whether they are on the topic is"
        f" unknown; first: {first.name}: {first.reason}"
    )
