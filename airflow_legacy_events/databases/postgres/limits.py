"""Server timeouts that would end sessions, transactions or waits that are long on purpose."""

from __future__ import annotations

_SINCE = (
    ("idle_in_transaction_session_timeout", 0),
    ("lock_timeout", 0),
    ("idle_session_timeout", 140_000),
    ("transaction_timeout", 170_000),
)
"""Settings with the version that introduced them; 0: older than any supported version. `statement_timeout` is set by
each session itself."""


def without_limits(version: int) -> str:
    """Return the SETs that disable them for a session, overriding role, database and server settings.

    Args:
        version: of the server, in libpq's number format.
    """
    return "; ".join(f"SET {name} = 0" for name, since in _SINCE if version >= since)
