"""Values of messages as texts of a target's columns: exact, or refused."""

from airflow_legacy_events.envelopes.decoders.values.converters import Converter, Options, UnfitError, converter

__all__ = ["Converter", "Options", "UnfitError", "converter"]
