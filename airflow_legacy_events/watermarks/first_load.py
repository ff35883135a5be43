"""Which run ended the first load of a stream, in an Airflow Variable.

Where watermarks go with the runs that hold them, that none holds one any more does not mean that there never was one.
"""

from __future__ import annotations

from airflow_legacy_events.watermarks import airflow_variables

PREFIX = "legacy_events.loaded."
PERSON = "(command line)"
"""Stands for a run where a command wrote the watermark."""


def loaded_by(stream: str) -> str | None:
    """Return the id of the run that ended the first load; None: none has."""
    return airflow_variables.read(airflow_variables.variable_key(PREFIX, stream))


def note_load(stream: str, run_id: str) -> None:
    """Note that the first load has ended in a run."""
    airflow_variables.write(airflow_variables.variable_key(PREFIX, stream), run_id)


def forget_load(stream: str) -> None:
    """Let the first load count as never ended."""
    airflow_variables.delete(airflow_variables.variable_key(PREFIX, stream))
