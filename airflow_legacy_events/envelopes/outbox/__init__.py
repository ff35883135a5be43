"""Outbox envelopes: the payload as the application wrote it, on a topic named by each row."""

from airflow_legacy_events.envelopes.outbox.cloudevents import OutboxCloudEvents
from airflow_legacy_events.envelopes.outbox.logged import LoggedEnvelope
from airflow_legacy_events.envelopes.outbox.payload import PayloadEnvelope
from airflow_legacy_events.envelopes.outbox.routing import RoutedEnvelope

__all__ = ["LoggedEnvelope", "OutboxCloudEvents", "PayloadEnvelope", "RoutedEnvelope"]
