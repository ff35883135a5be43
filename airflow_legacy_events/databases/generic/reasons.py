"""Error reasons for any driver: the message and number are reported, row values are not."""

from __future__ import annotations

from typing import Any

from airflow_legacy_events.databases.errors import one_line
from airflow_legacy_events.databases.writing import masked

_RAISED, _RAISES = ("P0", "38", "39"), "exec_stmt_raise"
_RAISED_BY_MYSQL, _NOT_THE_SERVERS = 1644, 10_000


def reason_of_read(error: Exception) -> str:
    """Return why a read failed. Quoted text is left out, as is text raised by a function: both may be row values."""
    return masked(_said(error))


def reason_of_query(error: Exception) -> str:
    """Return why a query was refused; quoted text is part of the query."""
    return one_line(_said(error))


def _said(error: Exception) -> str:
    """Return the server's primary message, if the driver separates it from DETAIL and CONTEXT, which contain values."""
    driver: Any = getattr(error, "orig", None) or error
    diagnosed = getattr(driver, "diag", None)
    if sentence := getattr(diagnosed, "message_primary", None):
        return _of_postgres(sentence, diagnosed)
    number, *_ = getattr(driver, "args", None) or (None,)
    if type(number) is int and (number == _RAISED_BY_MYSQL or number >= _NOT_THE_SERVERS):
        return f"an error that a function may have raised (error {number})"
    return str(driver)


def _of_postgres(sentence: str, diagnosed: Any) -> str:
    code = str(diagnosed.sqlstate or "")
    if code.startswith(_RAISED) or diagnosed.source_function == _RAISES:
        return f"a function raised an exception (SQLSTATE {code})"
    return f"{sentence} (SQLSTATE {code})"
