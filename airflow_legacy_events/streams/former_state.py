"""Former state of a connector that a task stops for a moment: a run that follows a killed one finds it again."""

from __future__ import annotations

from airflow_legacy_events.connect.state import STATES
from airflow_legacy_events.watermarks import airflow_variables

_PREFIX = "legacy_events.connector_state."


class FormerState:
    """Keeps in an Airflow Variable in which state a connector was before it was stopped.

    Args:
        connect_conn_id: connection of the cluster.
        connector: name of the connector.
    """

    def __init__(self, connect_conn_id: str, connector: str) -> None:
        self._key = airflow_variables.variable_key(_PREFIX, f"{connect_conn_id}.{connector}")

    def remembered(self) -> str | None:
        """Return the state that a run which was killed left here; None if there is none."""
        found = airflow_variables.read(self._key)
        return found if found in STATES else None

    def remember(self, state: str) -> None:
        """Keep a state."""
        airflow_variables.write(self._key, state)

    def forget(self) -> None:
        """Remove it: the connector is in its state again."""
        airflow_variables.delete(self._key)
