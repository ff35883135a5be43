"""Invalid UTF-8: SQL_ASCII databases accept any bytes, and others may have them from old dumps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.adapt import Buffer, Loader
from psycopg.postgres import types

from airflow_legacy_events.databases.postgres.limits import without_limits

UNREADABLE = (UnicodeDecodeError, psycopg.errors.CharacterNotInRepertoire, psycopg.errors.UntranslatableCharacter)
"""Errors of a read when text can't be converted to UTF-8: the driver's, or the server's."""

_BYTES = r"decode(replace({name}, E'\\', E'\\\\'), 'escape')"
REMEDY = (
    f"with sql=: as bytes with {_BYTES} AS {{name}}, or, where you know the encoding, with"
    f" convert_from(convert({_BYTES}, 'LATIN1', 'UTF8'), 'UTF8') AS {{name}}"
)
"""How to read such text: the `remedy` of `errors.unreadable`."""

_ANY_TYPE = 0
_IN_UTF8 = ("UTF8", "SQL_ASCII")


class _Raw(Loader):
    def load(self, data: Buffer) -> bytes:
        return bytes(data)


def unreadable_column(session: psycopg.Connection[Any], statement: str, parameters: Any, seconds: float) -> str | None:
    """Return the first column with text that is not valid UTF-8; None if none is found.

    Args:
        session: a new one that is not used afterwards.
        statement: of the failed read.
        parameters: of the statement.
        seconds: the statement timeout.
    """
    if session.info.parameter_status("server_encoding") not in _IN_UTF8:
        return None
    session.execute(
        "SET default_transaction_read_only = on; SET client_encoding = 'SQL_ASCII';"
        f" {without_limits(session.info.server_version)}; SET statement_timeout = {int(seconds * 1000):d}".encode()
    )
    cursor = psycopg.RawCursor(session)
    for oid in (_ANY_TYPE, *(oid for known in types for oid in (known.oid, known.array_oid))):
        cursor.adapters.register_loader(oid, _Raw)
    for row in cursor.stream(statement.encode(), parameters):
        if (at := _first_unreadable(row)) is not None:
            return cursor.description[at].name if cursor.description else None
    return None


def _first_unreadable(row: Sequence[bytes | None]) -> int | None:
    for at, value in enumerate(row):
        try:
            (value or b"").decode()
        except UnicodeDecodeError:
            return at
    return None
