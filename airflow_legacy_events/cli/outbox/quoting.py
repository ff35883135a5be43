"""Quoting of names and texts in SQL."""

from __future__ import annotations

from airflow_legacy_events.core.names import cut, cut_bytes

_POSTGRES_BYTES, _OTHER_CHARACTERS = 63, 64


def quoted(*parts: str | None, sign: str = '"') -> str:
    """Return a qualified name, its parts quoted and joined by dots; a part that is None is left out."""
    return ".".join(f"{sign}{part.replace(sign, sign * 2)}{sign}" for part in parts if part is not None)


def literal(text: str) -> str:
    """Return a text literal of PostgreSQL and SQLite."""
    return "'" + text.replace("'", "''") + "'"


def mysql_literal(text: str) -> str:
    """Return a text literal of MariaDB and MySQL; a backslash has the same meaning in every SQL mode."""
    if "\\" in text:
        return f"CONVERT(x'{text.encode().hex()}' USING utf8mb4)"
    return literal(text)


def postgres_name(table: str, suffix: str) -> str:
    """Return the name of an object that belongs to a table, within PostgreSQL's 63 bytes."""
    return cut_bytes(table, _POSTGRES_BYTES - len(suffix)) + suffix


def other_name(table: str, suffix: str) -> str:
    """Return the name of an object that belongs to a table, within MySQL's 64 characters."""
    return cut(table, _OTHER_CHARACTERS - len(suffix)) + suffix


def comment(text: str) -> str:
    """Return a sentence as SQL comments, even if a name in it has line breaks."""
    return "-- " + " ".join(text.split())
