"""Roles of an outbox event's parts, and layouts, which name the columns or members of each."""

from __future__ import annotations

from collections.abc import Mapping

ROLES = ("id", "aggregate_type", "aggregate_id", "event_type", "payload", "headers", "timestamp", "partition")
"""Roles of columns, as named in `columns=` and templates."""

LAYOUTS: Mapping[str, Mapping[str, str]] = {
    "debezium": {
        "id": "id",
        "aggregate_type": "aggregatetype",
        "aggregate_id": "aggregateid",
        "event_type": "type",
        "payload": "payload",
        "timestamp": "created_at",
    },
}
"""By name; https://debezium.io/documentation/reference/stable/transformations/outbox-event-router.html"""
