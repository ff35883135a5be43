"""The plugin under which Airflow lists this package."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin


class LegacyEventsPlugin(AirflowPlugin):
    """Names the package among Airflow's plugins."""

    name = "legacy_events"
