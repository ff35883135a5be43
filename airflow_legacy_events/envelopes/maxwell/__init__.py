"""Messages as Maxwell's daemon sends them."""

from airflow_legacy_events.envelopes.maxwell.envelope import MaxwellEnvelope

__all__ = ["MaxwellEnvelope"]
