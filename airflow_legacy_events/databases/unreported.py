"""Defaults for a database that reports nothing about itself and its tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.ports import Blocker, NextId, RowVersions, RowWriters, ServerZone, Written


class Unreported:
    """Default answers of a database that can't be queried for them. Databases that can override them.

    Attributes:
        has_slots: see `core.ports.Database.has_slots`.
    """

    has_slots = False

    def position(self) -> dict[str, Any] | None:
        """See `core.ports.Database.position`."""
        return None

    def behind(self, position: Mapping[str, Any]) -> str | None:  # noqa: ARG002
        """See `core.ports.Database.behind`."""
        return None

    def continues(self, server: Mapping[str, Any], position: Mapping[str, Any] | None) -> bool:  # noqa: ARG002
        """See `core.ports.Database.continues`."""
        return False

    def next_id(self, table: str, column: str) -> NextId:  # noqa: ARG002
        """See `core.ports.Database.next_id`."""
        return NextId()

    def storage(self, table: str | None, query: Any = None) -> Any:  # noqa: ARG002
        """See `core.ports.Database.storage`."""
        return None

    def misordered(self, selectable: Any, column: Column) -> str | None:  # noqa: ARG002
        """See `core.ports.Database.misordered`."""
        return None

    def zone(self) -> ServerZone | None:
        """See `core.ports.Database.zone`."""
        return None

    def zone_origin(self) -> str | None:
        """See `core.ports.Database.zone_origin`."""
        return None

    def row_versions(self, table: str) -> RowVersions | None:  # noqa: ARG002
        """See `core.ports.Database.row_versions`."""
        return None

    def ending(self, blocker: Blocker) -> str | None:  # noqa: ARG002
        """See `core.ports.Database.ending`."""
        return None

    def writers(self, of: Written) -> RowWriters | None:  # noqa: ARG002
        """See `core.ports.Database.writers`."""
        return None
