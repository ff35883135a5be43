"""Provider description, read by Airflow's provider manager."""

from __future__ import annotations

from typing import Any

from airflow_legacy_events import __version__
from airflow_legacy_events.hooks.forms import connection_types

_CONFIG = {
    "description": "Settings of the package airflow-legacy-events.",
    "options": {
        "topic_url_template": {
            "description": (
                "Address of a page that shows a message of a topic. {topic}, {partition}, {offset} and {bootstrap} are"
                " replaced, percent-encoded. Tasks then link to the newest message of their topic; without it they have"
                " no link."
            ),
            "version_added": "0.1.0",
            "type": "string",
            "example": "https://kafka-ui.example/ui/clusters/main/all-topics/{topic}/messages?seekTo={partition}::{offset}",
            "default": "",
        },
        "connector_url_template": {
            "description": (
                "Address of a page that shows a connector of Kafka Connect. {connect}, the address of a worker, and"
                " {connector} are replaced, percent-encoded. Tasks that steer a connector then link to it."
            ),
            "version_added": "0.1.0",
            "type": "string",
            "example": "https://kafka-ui.example/ui/clusters/main/connects/main/connectors/{connector}",
            "default": "",
        },
        "watermark_table_conn_id": {
            "description": "Connection of the table that watermark_store='table' keeps watermarks in.",
            "version_added": "0.1.0",
            "type": "string",
            "example": "crm_state",
            "default": "",
        },
    },
}


def get_provider_info() -> dict[str, Any]:
    """Return the provider's description, valid against Airflow's `provider_info.schema.json`."""
    return {
        "package-name": "airflow-legacy-events",
        "name": "Legacy Events",
        "description": "Turns the rows of legacy databases into event streams, from ordinary Airflow tasks.",
        "versions": [__version__],
        "operators": [
            {
                "integration-name": "Legacy Events",
                "python-modules": [
                    "airflow_legacy_events.operators.changelog",
                    "airflow_legacy_events.operators.connect",
                    "airflow_legacy_events.operators.outbox",
                    "airflow_legacy_events.operators.query",
                    "airflow_legacy_events.operators.slots",
                ],
            },
        ],
        "hooks": [
            {
                "integration-name": "Legacy Events",
                "python-modules": [
                    "airflow_legacy_events.hooks.broker",
                    "airflow_legacy_events.hooks.connect",
                    "airflow_legacy_events.hooks.database",
                ],
            },
        ],
        "sensors": [
            {
                "integration-name": "Legacy Events",
                "python-modules": [
                    "airflow_legacy_events.sensors.connect",
                    "airflow_legacy_events.sensors.outbox",
                    "airflow_legacy_events.sensors.pending",
                ],
            },
        ],
        "triggers": [
            {
                "integration-name": "Legacy Events",
                "python-modules": [
                    "airflow_legacy_events.triggers.connect",
                    "airflow_legacy_events.triggers.outbox",
                    "airflow_legacy_events.triggers.pending",
                ],
            },
        ],
        "connection-types": connection_types(),
        "extra-links": [
            "airflow_legacy_events.operators.links.ConnectorLink",
            "airflow_legacy_events.operators.links.TopicLink",
        ],
        "config": {"legacy_events": _CONFIG},
        "plugins": [
            {"name": "legacy_events", "plugin-class": "airflow_legacy_events.ui.plugin.LegacyEventsPlugin"},
        ],
        "cli": ["airflow_legacy_events.cli.get_cli_commands"],
    }
