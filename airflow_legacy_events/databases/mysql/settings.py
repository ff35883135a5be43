"""MySQL and MariaDB session settings, so that no value is changed, no result cut and no lock or snapshot ended."""

from __future__ import annotations

import math
from typing import Any

KEPT = (
    *("max_sort_length", "sort_buffer_size", "group_concat_max_len", "div_precision_increment", "default_week_format"),
    *("lc_time_names", "sql_auto_is_null", "completion_type"),
)
"""Variables whose initial values are restored after a function has changed them."""

# SQL modes that would change exchanged values or literals. Modes that affect query syntax are kept.
_HARMFUL_MODES = frozenset(
    {
        *("PAD_CHAR_TO_FULL_LENGTH", "EMPTY_STRING_IS_NULL", "ORACLE", "MSSQL", "DB2"),
        *("NO_ZERO_DATE", "NO_ZERO_IN_DATE", "TRADITIONAL"),
    }
)
_ALL_ROWS = 2**64 - 1  # DEFAULT would be the server's configured value
_LONGEST_LIST_BYTES = 2**28
"""More than any message can hold; MySQL 5.6 still handles the length of four times as many characters."""

_MOST_ITERATIONS = 2**32 - 1
_MOST_WARNINGS = 2**16 - 1
_RESTING_SECONDS = 86_400
_STALLED_SECONDS = 600
_IDLE_WRITER_SECONDS = 60
"""Idle timeout of write transactions: none of ours idles that long, and a vanished worker's locks end with it."""

LIMITS_TIME_SINCE = (5, 7, 8)
_ENDS_IDLE_SINCE = (10, 3)
_KEEPS_WARNINGS_BY_RIGHT_SINCE = (8,)
"""First MySQL release in which raising the warning limit needs a right; without it the server's limit applies: 1024."""

_FEW_ITERATIONS_SINCE = (10, 6)
_CACHES_STATISTICS_SINCE = (8,)
_NEW_NAMES_SINCE = {True: (11, 1, 1), False: (8,)}
_MAKES_KEYS_SINCE, _SHOWS_KEYS = (8, 0, 30), "show_gipk_in_create_table_and_information_schema"
_IDLE = ("idle_transaction_timeout", "idle_readonly_transaction_timeout", "idle_write_transaction_timeout")

Version = tuple[int, ...]


def modes_of(sql_mode: str) -> list[str]:
    """Return the server's SQL modes that a session keeps."""
    return [mode for mode in sql_mode.split(",") if mode not in _HARMFUL_MODES]


def of_each_session(version: Version, *, mariadb: bool, longest_list: int) -> dict[str, Any]:
    """Return the settings of every session.

    The limits of lists, recursion and warnings determine whether a cut value is detected; see `cuts`.

    Args:
        version: of the server.
        mariadb: whether the server is MariaDB.
        longest_list: the session's initial limit of a GROUP_CONCAT list, in bytes.
    """
    found: dict[str, Any] = {
        "time_zone": "+00:00",
        "sql_select_limit": _ALL_ROWS,
        "sql_big_selects": 1,
        "sql_safe_updates": 0,
        "wait_timeout": _RESTING_SECONDS,
        "net_read_timeout": _STALLED_SECONDS,
        "net_write_timeout": _STALLED_SECONDS,
        "group_concat_max_len": max(longest_list, _LONGEST_LIST_BYTES),
        "sql_notes": 0,
    }
    if mariadb or version < _KEEPS_WARNINGS_BY_RIGHT_SINCE:
        found["max_error_count"] = _MOST_WARNINGS
    if not mariadb:
        keys = {_SHOWS_KEYS: 1} if version >= _MAKES_KEYS_SINCE else {}
        return found | keys | ({"max_execution_time": 0} if version >= LIMITS_TIME_SINCE else {})
    found["max_statement_time"] = 0
    if version >= _FEW_ITERATIONS_SINCE:
        found["max_recursive_iterations"] = _MOST_ITERATIONS
    return found | (dict.fromkeys(_IDLE, _IDLE_WRITER_SECONDS) if version >= _ENDS_IDLE_SINCE else {})


def of_reading(version: Version, timeout_seconds: float, *, mariadb: bool) -> dict[str, Any]:
    """Return additional settings of a read-only session that holds a snapshot for a whole run.

    Args:
        version: of the server.
        timeout_seconds: the server's statement timeout, if it has one.
        mariadb: whether the server is MariaDB.
    """
    prefix = "transaction" if version >= _NEW_NAMES_SINCE[mariadb] else "tx"
    found: dict[str, Any] = {f"{prefix}_isolation": "REPEATABLE-READ", f"{prefix}_read_only": 1}
    found["lock_wait_timeout"] = max(1, math.ceil(timeout_seconds))
    if mariadb:
        found["max_statement_time"] = max(0.001, timeout_seconds)
        return found | (dict.fromkeys(_IDLE, 0) if version >= _ENDS_IDLE_SINCE else {})
    if version >= _CACHES_STATISTICS_SINCE:
        found["information_schema_stats_expiry"] = 0
    if version >= LIMITS_TIME_SINCE:
        found["max_execution_time"] = max(1, int(timeout_seconds * 1000))
    return found
