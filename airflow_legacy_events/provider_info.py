"""What Airflow's provider manager reads."""

from __future__ import annotations

from typing import Any

from airflow_legacy_events import __version__


def get_provider_info() -> dict[str, Any]:
    """Return the provider's description, valid against Airflow's `provider_info.schema.json`."""
    return {
        "package-name": "airflow-legacy-events",
        "name": "Legacy Events",
        "description": "Turns the rows of legacy databases into event streams, from ordinary Airflow tasks.",
        "versions": [__version__],
        "operators": [
            {"integration-name": "Legacy Events", "python-modules": ["airflow_legacy_events.operators.query"]},
        ],
        "hooks": [
            {
                "integration-name": "Legacy Events",
                "python-modules": ["airflow_legacy_events.hooks.broker", "airflow_legacy_events.hooks.database"],
            },
        ],
        "plugins": [
            {"name": "legacy_events", "plugin-class": "airflow_legacy_events.ui.plugin.LegacyEventsPlugin"},
        ],
        "config": {
            "legacy_events": {
                "description": "Event streams of legacy databases.",
                "options": {
                    "watermark_table_conn_id": {
                        "description": "Connection of the table that watermark_store='table' keeps watermarks in.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "crm_state",
                        "default": "",
                    },
                },
            },
        },
        "cli": ["airflow_legacy_events.cli.get_cli_commands"],
    }
