"""Write transactions in PostgreSQL: how they begin, and failure reasons without row values."""

from __future__ import annotations

import re
from typing import Any

import psycopg

from airflow_legacy_events.databases.postgres.limits import without_limits
from airflow_legacy_events.databases.postgres.policies import is_policy
from airflow_legacy_events.databases.postgres.session import TEXT_FORMS, reason
from airflow_legacy_events.databases.writing import Right, masked

_WRITING = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE; {security};" + TEXT_FORMS.replace(
    "SET ", "SET LOCAL "
)
_TIMEOUT = "{}; SET statement_timeout = {:d}"
_LACKS = """
SELECT pg_catalog.concat(pg_catalog.quote_ident(nspname), '.', pg_catalog.quote_ident(relname)),
       pg_catalog.quote_ident(current_user)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) relnamespace
 WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1::pg_catalog.text)::pg_catalog.oid
   AND NOT CASE WHEN $2::pg_catalog.text IS NULL THEN pg_catalog.has_table_privilege(c.oid, 'DELETE')
                ELSE pg_catalog.has_column_privilege(c.oid, $2::pg_catalog.text, 'UPDATE') END
"""
_FUNCTION = re.compile(r"PL/pgSQL function (\S+?)\(")
_RAISED, _RAISES, _OF_DATA = ("P0", "38", "39"), "exec_stmt_raise", "22"
_OF_NAMES = "42"
_PASSING = ("08", "40", "53", "57", "58")
_LOCKED = "55P03"


def begin_writing(session: psycopg.Connection[Any], security: str) -> None:
    """Make the open transaction read-write, with the same text forms of values as reads.

    Args:
        session: in a transaction.
        security: the SET of `row_security`.
    """
    session.execute(_WRITING.format(security=security.replace("SET ", "SET LOCAL ")).encode())


def reason_without_values(error: psycopg.Error | UnicodeDecodeError) -> str:
    """Return why a statement failed. The reason never contains row values."""
    if isinstance(error, UnicodeDecodeError):
        return "a text is not valid UTF-8"
    if raised := _raised(error):
        return raised
    code = error.sqlstate or ""
    return f"{type(error).__name__} (SQLSTATE {code})" if code.startswith(_OF_DATA) else reason(error)


def reason_of_read(error: psycopg.Error, doing: str) -> str:
    """Return why a read-only statement failed. The reason never contains row values.

    Args:
        error: of the driver.
        doing: as in `SqlDatabase._using`. While rows are read, quoted text in the message may be a value. If the server
            points to a position in the statement, it is a word of the statement.
    """
    if raised := _raised(error):
        return raised
    code = error.sqlstate or ""
    of_rows = bool(code) and doing == "reading" and not (code.startswith(_OF_NAMES) and error.diag.statement_position)
    return masked(reason(error)) if of_rows or code.startswith(_OF_DATA) else reason(error)


def _raised(error: psycopg.Error) -> str:
    """Safe description of an exception that a function raised; empty if none did."""
    code = error.sqlstate or ""
    if not code.startswith(_RAISED) and error.diag.source_function != _RAISES:
        return ""
    function = _FUNCTION.search(error.diag.context or "")
    return f"{f'function {function[1]}' if function else 'a function'} raised an exception (SQLSTATE {code})"


def refusal(
    session: psycopg.Connection[Any], text: str, parameters: Any, seconds: float, security: str, right: Right
) -> str | None:
    """Return why a statement may not run; None if it may.

    Args:
        session: a new one that is not used afterwards.
        text: of the statement; it is rolled back.
        parameters: of the statement.
        seconds: statement timeout.
        security: the SET of `row_security`.
        right: needed besides SELECT.

    Raises:
        psycopg.Error: it failed for a transient reason, such as a lost connection, or a policy would affect it.
    """
    limits = without_limits(session.info.server_version)
    session.execute(_TIMEOUT.format(limits, max(1, int(seconds * 1000))).encode())
    try:
        with session.transaction(force_rollback=True):
            begin_writing(session, security)
            psycopg.RawCursor(session).execute(text.encode(), parameters)
    except psycopg.Error as error:
        code = error.sqlstate or ""
        if not code or code.startswith(_PASSING) or code == _LOCKED or is_policy(error):
            raise
        lacks = isinstance(error, psycopg.errors.InsufficientPrivilege)
        return ". ".join([reason_without_values(error), *(_grants(session, right) if lacks else ())])
    return None


def _grants(session: psycopg.Connection[Any], right: Right) -> list[str]:
    """Return the GRANT for a right; empty if the user has it and lacks another one."""
    name = ".".join('"' + part.replace('"', '""') + '"' for part in (right.schema, right.table) if part is not None)
    lacking = psycopg.RawCursor(session).execute(_LACKS.encode(), (name, next(iter(right.columns), None)))
    return [right.grant(on, to, lambda one: '"' + one.replace('"', '""') + '"') for on, to in lacking]
