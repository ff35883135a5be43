"""What an error of a delivery report says about its message."""

from __future__ import annotations

from confluent_kafka import KafkaError

REJECTED = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_RECORD,  # a compacted topic and no key, or a validation of the broker's
        KafkaError.INVALID_TIMESTAMP,
    }
)
"""The broker looked at the records and will never take them. It judges record batches: each one may be healthy."""

UNKNOWN = frozenset(
    {
        KafkaError._MSG_TIMED_OUT,
        KafkaError._TIMED_OUT,
        KafkaError._TIMED_OUT_QUEUE,
        KafkaError._PURGE_QUEUE,
        KafkaError._PURGE_INFLIGHT,
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    }
)
"""The message may be on the topic or not."""
