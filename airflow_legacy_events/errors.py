"""Errors that operators, sensors and triggers raise deliberately."""

from airflow_legacy_events.core.errors import (
    BusyError,
    CompletenessError,
    ConfigurationError,
    ConnectError,
    ConnectorFailedError,
    DeliveryError,
    EnvelopeError,
    GapError,
    HorizonError,
    LegacyEventsError,
    SchemaChangedError,
    SourceError,
    StoppedError,
    TargetError,
    WatermarkError,
)

__all__ = [
    "BusyError",
    "CompletenessError",
    "ConfigurationError",
    "ConnectError",
    "ConnectorFailedError",
    "DeliveryError",
    "EnvelopeError",
    "GapError",
    "HorizonError",
    "LegacyEventsError",
    "SchemaChangedError",
    "SourceError",
    "StoppedError",
    "TargetError",
    "WatermarkError",
]
