"""INCIDENT: the server could not log changes; what it lost is not in the log.

Body: its number (2 bytes; 1 is LOST_EVENTS), length of a message (1) and the message.
"""

from __future__ import annotations

from airflow_legacy_events.databases.mysql.changelog.binlog.bytes import Bytes


def incident(body: bytes) -> str:
    """Return the server's message, empty if it gave none.

    Raises:
        ValueError: the event is damaged.
    """
    data = Bytes(body)
    data.take(2)
    return data.take(data.number(1)).decode("utf-8", "replace") if data.left else ""
