"""Ports: the interfaces that the relay and the sources use, and their contracts."""

from airflow_legacy_events.core.ports.broker import Broker, BrokerClient, Position
from airflow_legacy_events.core.ports.catalog import (
    NextId,
    Reflection,
    ServerZone,
    TableState,
    TableWrites,
    Withheld,
)
from airflow_legacy_events.core.ports.change_log import ChangeLog, LogColumn, LogOptions, LogSnapshot, LogTable
from airflow_legacy_events.core.ports.connected import ConnectedDatabase, LogPlace, SourceSlot
from airflow_legacy_events.core.ports.database import Database
from airflow_legacy_events.core.ports.decoder import Decoder, NotUnderstoodError
from airflow_legacy_events.core.ports.delivery import Delivery, MakeDelivery
from airflow_legacy_events.core.ports.envelope import Envelope
from airflow_legacy_events.core.ports.lease import Answer, Lease, Listener
from airflow_legacy_events.core.ports.observer import Observer
from airflow_legacy_events.core.ports.reader import Extent, FoundTopic, Reader, Reading, ReadPosition, Taken
from airflow_legacy_events.core.ports.source import HorizonSource, KeepsRows, LogSource, Source
from airflow_legacy_events.core.ports.store import WatermarkStore
from airflow_legacy_events.core.ports.topic_ends import Bounds, Partition, TopicEnds
from airflow_legacy_events.core.ports.topic_tail import TailMessage, TopicTail
from airflow_legacy_events.core.ports.versions import RowVersions, VersionBlocker, VersionHorizon, VersionStorage
from airflow_legacy_events.core.ports.writers import Blocker, RowWriters, WritersLook, Written

__all__ = [
    "Answer",
    "Blocker",
    "Bounds",
    "Broker",
    "BrokerClient",
    "ChangeLog",
    "ConnectedDatabase",
    "Database",
    "Decoder",
    "Delivery",
    "Envelope",
    "Extent",
    "FoundTopic",
    "HorizonSource",
    "KeepsRows",
    "Lease",
    "Listener",
    "LogColumn",
    "LogOptions",
    "LogPlace",
    "LogSnapshot",
    "LogSource",
    "LogTable",
    "MakeDelivery",
    "NextId",
    "NotUnderstoodError",
    "Observer",
    "Partition",
    "Position",
    "ReadPosition",
    "Reader",
    "Reading",
    "Reflection",
    "RowVersions",
    "RowWriters",
    "ServerZone",
    "Source",
    "SourceSlot",
    "TableState",
    "TableWrites",
    "TailMessage",
    "Taken",
    "TopicEnds",
    "TopicTail",
    "VersionBlocker",
    "VersionHorizon",
    "VersionStorage",
    "WatermarkStore",
    "Withheld",
    "WritersLook",
    "Written",
]
