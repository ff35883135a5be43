"""Settings of a writing session: nothing is cut, rounded or numbered in silence, and no lock outlives its run."""

from __future__ import annotations

import math
from typing import Any

from airflow_legacy_events.databases.mysql.settings import LIMITS_TIME_SINCE, Version

IDLE_SECONDS = 30
"""Seconds after which the server ends a session that does nothing in a transaction, and with it its locks.

Where only `wait_timeout` does so, it also ends the session between two transactions, which then opens another one.
"""

_MODES = (
    *("STRICT_TRANS_TABLES", "STRICT_ALL_TABLES", "ERROR_FOR_DIVISION_BY_ZERO", "NO_AUTO_VALUE_ON_ZERO"),
    "NO_ENGINE_SUBSTITUTION",
)
_ALL_ROWS = 2**64 - 1
_RESTING_SECONDS = 86_400
_STALLED_SECONDS = 600
_ENDS_IDLE_SINCE = (10, 3)
_IDLE = ("idle_transaction_timeout", "idle_readonly_transaction_timeout", "idle_write_transaction_timeout")


def of_writing(version: Version, seconds: float, *, mariadb: bool) -> dict[str, Any]:
    """Return the settings of a session that applies changes.

    Zero dates stay possible, since old tables have them as defaults. How long a lock is waited for is the server's own
    setting.

    Args:
        version: of the server.
        seconds: time limit of a statement, as far as the server enforces one.
        mariadb: whether the server is MariaDB.
    """
    ends_idle = mariadb and version >= _ENDS_IDLE_SINCE
    found: dict[str, Any] = {
        "sql_mode": ",".join(_MODES),
        "time_zone": "+00:00",
        "lc_messages": "en_US",
        "sql_select_limit": _ALL_ROWS,
        "sql_big_selects": 1,
        "sql_safe_updates": 0,
        "sql_auto_is_null": 0,
        "foreign_key_checks": 1,
        "unique_checks": 1,
        "completion_type": "NO_CHAIN",
        "wait_timeout": _RESTING_SECONDS if ends_idle else IDLE_SECONDS,
        "net_read_timeout": _STALLED_SECONDS,
        "net_write_timeout": _STALLED_SECONDS,
    }
    if mariadb:
        found["max_statement_time"] = max(0.001, seconds)
        found["check_constraint_checks"] = 1
        return found | (dict.fromkeys(_IDLE, IDLE_SECONDS) if ends_idle else {})
    if version >= LIMITS_TIME_SINCE:  # of a SELECT; other statements are cancelled by us
        found["max_execution_time"] = max(1, math.ceil(seconds * 1000))
    return found
