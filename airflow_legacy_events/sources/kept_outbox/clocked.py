"""Conditions that read the clock: a row may meet one only after the position has passed it."""

from __future__ import annotations

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.sql_dialects import Dialect

_CLOCKS = frozenset(
    {
        *("now", "current_timestamp", "current_date", "current_time", "localtime", "localtimestamp"),
        *("clock_timestamp", "statement_timestamp", "transaction_timestamp", "timeofday"),
        *("sysdate", "curdate", "curtime", "utc_timestamp", "utc_date", "utc_time", "unix_timestamp", "getdate"),
        "'now'",
    }
)


def refuse_clock(where: str | None, dialect: Dialect) -> None:
    """Check that a condition does not read the clock.

    Args:
        where: as the user gave it; None if there is none.
        dialect: how the session may read it.

    Raises:
        ConfigurationError: it does, or may do so.
    """
    if where is None:
        return
    found = [
        token.text
        for reading in dialect.readings(where)
        for token in reading.tokens(where)
        if token.kind in ("word", "quoted") and token.text.lower() in _CLOCKS
    ]
    if found:
        raise ConfigurationError(
            f"where= reads the clock ({found[0]}), so with after_publish='keep' a row that meets it late would be lost;"
            " nothing was read. Leave that condition out, or use after_publish='mark'"
        )
