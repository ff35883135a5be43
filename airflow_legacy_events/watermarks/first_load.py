"""First load: the run that ended it, kept in an Airflow Variable.

Stores that delete watermarks together with runs need it: there, a missing watermark does not prove that there never was
one.
"""

from __future__ import annotations

from airflow_legacy_events.watermarks import airflow_variables

PREFIX = "legacy_events.loaded."
PERSON = "(command line)"
"""Stands for a run if a command wrote the watermark."""


def loaded_by(stream: str) -> str | None:
    """Return the id of the run that ended the first load; None: it has not ended."""
    return airflow_variables.read(airflow_variables.variable_key(PREFIX, stream))


def note_load(stream: str, run_id: str) -> None:
    """Keep the id of the run that ended the first load."""
    airflow_variables.write(airflow_variables.variable_key(PREFIX, stream), run_id)


def forget_load(stream: str) -> None:
    """Remove the note: the first load counts as never ended."""
    airflow_variables.delete(airflow_variables.variable_key(PREFIX, stream))
