"""Watermarks in Airflow Variables: `legacy_events.watermark.<stream>`."""

from __future__ import annotations

from typing import Self

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks import airflow_variables
from airflow_legacy_events.watermarks.codec import decode
from airflow_legacy_events.watermarks.opening import OpenableStore, OpenedBy
from airflow_legacy_events.watermarks.saving import VerifiedSaves

PREFIX = "legacy_events.watermark."


class VariableWatermarkStore(OpenableStore):
    """Keeps each stream's watermark in an Airflow Variable; it survives retries, clears and errors in the DAG."""

    name = "variable"

    @classmethod
    def open(cls, by: OpenedBy) -> Self:  # noqa: ARG003  Variables are open to everybody
        """See `OpenableStore.open`."""
        return cls()

    def __init__(self) -> None:
        self._saves = VerifiedSaves(self.load, self._write, self._glance)

    def load(self, stream: str) -> Watermark | None:
        """See `core.ports.WatermarkStore.load`."""
        key = airflow_variables.variable_key(PREFIX, stream)
        text = airflow_variables.read(key)
        return None if text is None else decode(text, stream=stream, place=f"Variable {key!r}")

    def save(self, stream: str, new: Watermark, *, expected: Watermark | None) -> None:
        """See `core.ports.WatermarkStore.save`."""
        self._saves.save(stream, new, expected)

    def forget(self, stream: str) -> None:
        """Remove the watermark, readable or not; one that is absent stays absent.

        Raises:
            WatermarkError: it could not be removed.
        """
        airflow_variables.delete(airflow_variables.variable_key(PREFIX, stream))

    @staticmethod
    def _glance(stream: str) -> str | None:
        return airflow_variables.glance(airflow_variables.variable_key(PREFIX, stream))

    @staticmethod
    def _write(stream: str, text: str) -> None:
        airflow_variables.write(airflow_variables.variable_key(PREFIX, stream), text)
