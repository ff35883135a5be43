"""Watermarks in Airflow Variables: `legacy_events.watermark.<stream>`."""

from __future__ import annotations

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks import airflow_variables
from airflow_legacy_events.watermarks.codec import decode, encode
from airflow_legacy_events.watermarks.conflict import verify

PREFIX = "legacy_events.watermark."


class VariableWatermarkStore:
    """Keeps each stream's watermark in an Airflow Variable; survives retries, clears and errors in the DAG.

    Airflow has no compare-and-set. What is expected is read and verified unless this very object wrote it last:
    then the stream's lock, which the caller checks before every save, is the proof, and a save is one write.
    """

    def __init__(self) -> None:
        self._wrote: dict[str, Watermark] = {}

    def load(self, stream: str) -> Watermark | None:
        """See `core.ports.WatermarkStore.load`."""
        key = airflow_variables.variable_key(PREFIX, stream)
        text = airflow_variables.read(key)
        return None if text is None else decode(text, stream=stream, place=f"Variable {key!r}")

    def save(self, stream: str, new: Watermark, *, expected: Watermark | None) -> None:
        """See `core.ports.WatermarkStore.save`."""
        if expected is None or self._wrote.get(stream) != expected:
            found = self.load(stream)
            if found == new:  # an earlier try of this save was taken, only its answer was lost
                return
            verify(stream, found=found, expected=expected)
        self._wrote.pop(stream, None)
        airflow_variables.write(airflow_variables.variable_key(PREFIX, stream), encode(new))
        self._wrote[stream] = new

    def forget(self, stream: str) -> None:
        """Remove the watermark, readable or not; one that is absent stays absent.

        Raises:
            WatermarkError: it could not be removed.
        """
        self._wrote.pop(stream, None)
        airflow_variables.delete(airflow_variables.variable_key(PREFIX, stream))
