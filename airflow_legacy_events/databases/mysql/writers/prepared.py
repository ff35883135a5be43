"""Names of prepared XA transactions."""

from __future__ import annotations

import MySQLdb

from airflow_legacy_events.databases.mysql.session import Session

_DEFAULT_FORMAT = "1"


def prepared_names(session: Session) -> list[str]:
    """Return the names as XA COMMIT takes them; empty if this user may not see them.

    No server says which transaction has which name.
    """
    try:
        rows = session.rows("XA RECOVER")
    except MySQLdb.OperationalError:
        return []
    return [_name(str(form), int(first), data) for form, first, _, data in rows]


def _name(form: str, first: int, data: str | bytes) -> str:
    raw = data.encode() if isinstance(data, str) else data
    parts = [_quoted(raw[:first]), *([_quoted(raw[first:])] if raw[first:] or form != _DEFAULT_FORMAT else [])]
    return ",".join([*parts, *([form] if form != _DEFAULT_FORMAT else [])])


def _quoted(part: bytes) -> str:
    text = part.decode(errors="replace")
    return f"'{text}'" if text.isprintable() and "'" not in text and "�" not in text else f"X'{part.hex()}'"
