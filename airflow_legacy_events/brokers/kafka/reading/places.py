"""Partitions and positions as the client has them."""

from __future__ import annotations

from confluent_kafka import Message, TopicPartition

from airflow_legacy_events.core.ports import Partition, ReadPosition


def partition_of(message: Message) -> Partition:
    """Return the partition of a message, or of an event about one."""
    return Partition(message.topic() or "", message.partition() or 0)


def behind(message: Message) -> ReadPosition:
    """Return the position behind a message."""
    return ReadPosition((message.offset() or 0) + 1, message.leader_epoch())


def placed(one: Partition, at: ReadPosition) -> TopicPartition:
    """Return a partition with a position."""
    if at.epoch is None:
        return TopicPartition(one.topic, one.number, at.offset)
    return TopicPartition(one.topic, one.number, at.offset, leader_epoch=at.epoch)
