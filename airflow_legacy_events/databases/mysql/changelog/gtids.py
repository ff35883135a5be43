"""GTIDs of both families under one interface."""

from __future__ import annotations

from typing import Any, TypeAlias

from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_sets import GtidSet
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_states import GtidState

Gtids: TypeAlias = Any
"""`GtidSet` of MySQL or `GtidState` of MariaDB."""


def parsed(text: str, *, mariadb: bool) -> Gtids:
    """Return GTIDs as a server writes them."""
    return GtidState.of(text) if mariadb else GtidSet.of(text)


def is_another_family(text: str, *, mariadb: bool) -> bool:
    """Return whether GTIDs are of the other family, or none at all."""
    try:
        parsed(text, mariadb=mariadb)
    except ValueError:
        return True
    return False
