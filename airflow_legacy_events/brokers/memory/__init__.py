"""A broker in memory, and a reader of its topics, for tests and examples; nothing survives the process."""

from airflow_legacy_events.brokers.memory.broker import MemoryBroker
from airflow_legacy_events.brokers.memory.log import Kept, MemoryLog
from airflow_legacy_events.brokers.memory.reader import MemoryReader

__all__ = ["Kept", "MemoryBroker", "MemoryLog", "MemoryReader"]
