"""Limits of the server that would end what is held on purpose: sessions, transactions, waits."""

from __future__ import annotations

_SINCE = (
    ("idle_in_transaction_session_timeout", 0),
    ("lock_timeout", 0),
    ("idle_session_timeout", 140_000),
    ("transaction_timeout", 170_000),
)
"""Each with the release that brought it; 0: older than what is read here. `statement_timeout` is each session's own."""


def without_limits(version: int) -> str:
    """Return the SETs that switch them off for a session, whatever its role, database or server has.

    Args:
        version: of the server, as libpq counts.
    """
    return "; ".join(f"SET {name} = 0" for name, since in _SINCE if version >= since)
