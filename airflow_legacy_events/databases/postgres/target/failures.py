"""Errors of PostgreSQL while a batch is applied: about values, about the transaction, or the run's end.

No text of a row gets into a reason: COPY's context, DETAIL and messages of class 22 hold some.
"""

from __future__ import annotations

import re
from typing import Any

import psycopg

from airflow_legacy_events.core.errors import ConfigurationError, TargetError
from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports.target import ObjectionError, TransactionLostError
from airflow_legacy_events.databases.applying.faults import Fault, Meaning, meaning_of_state
from airflow_legacy_events.databases.errors import one_line
from airflow_legacy_events.databases.postgres.policies import is_policy
from airflow_legacy_events.databases.postgres.pooling import refuses_transactions
from airflow_legacy_events.databases.postgres.target.facts import Facts
from airflow_legacy_events.databases.postgres.writing import reason_without_values

_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
_COLUMN = re.compile(r"\bc(\d+)\b")
_DATA, _UNIQUE, _CHECK, _TWICE = "22", "23505", "23514", "21000"
_ENCODING = "22021"
_OUTAGES = ("08", "53", "57", "58")


def fault_of(error: BaseException) -> Fault:
    """Return what an error of the driver, or of SQLAlchemy alone, means."""
    if isinstance(error, UnicodeEncodeError):
        return Fault(Meaning.OBJECTION, _ENCODING, "a text holds half of a surrogate pair")
    if not isinstance(error, psycopg.Error):
        return Fault(Meaning.OTHER, "", one_line(error))
    if refuses_transactions(error):
        return Fault(Meaning.OTHER, "", "the connection leads to a pooler that allows no transactions")
    state = error.sqlstate or ""
    if not state and isinstance(error, psycopg.DataError):  # before it was sent, such as a NUL
        return Fault(Meaning.OBJECTION, _ENCODING, "a text holds a character that the database can't store")
    meaning = meaning_of_state(state)
    if state == _CHECK and not error.diag.constraint_name:  # no partition takes the row
        meaning = Meaning.OTHER
    retry_helps = not state or state.startswith(_OUTAGES)
    of_unique = state == _UNIQUE
    return Fault(meaning, state, _reason(error), _remedy(error), retry_helps, of_unique)


def raised(error: psycopg.Error | UnicodeEncodeError, shape: TargetShape) -> Exception | None:
    """Return the error for a statement over rows of a table; None if the table says nothing about it."""
    fault, facts = fault_of(error), shape.facts
    if fault.code == _TWICE:
        return spelled(shape)
    if not isinstance(facts, Facts):
        return None
    diag = getattr(error, "diag", None)
    if fault.of_unique and diag is not None and diag.constraint_name in facts.key_indexes:
        return TransactionLostError(f"another session inserted a key of table {shape.table!r} meanwhile")
    if fault.meaning is Meaning.OBJECTION:
        return ObjectionError(fault.code, f"{_in_column(diag, shape)}{fault.reason}")
    if isinstance(error, psycopg.errors.InsufficientPrivilege) and not is_policy(error):
        return TargetError(
            f"table {shape.table!r} can't be written to by this user; run the GRANT below: {fault.reason}\n"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {facts.name} TO {facts.user}"
        )
    return None


def spelled(shape: TargetShape) -> ConfigurationError:
    """Return the error for two spellings of a key that are one key to the table."""
    facts = shape.facts
    compared = [
        f"{shape.columns[at].name} ({shape.columns[at].type}{facts.fields[at].collate})"
        for at in facts.spelled or shape.key
    ]
    return ConfigurationError(
        f"table {shape.table!r} takes two spellings of a key for one: a message's {', '.join(compared)} differs from"
        " that of another message or of the row, and its collation or type calls them equal, so one row would stand for"
        " two. Nothing of the batch was applied. Give the key columns a deterministic collation and a case-sensitive"
        " type, or correct the keys at their source"
    )


def _reason(error: psycopg.Error) -> str:
    state = error.sqlstate or ""
    if not state:
        return one_line(error)
    if state.startswith(_DATA) and error.diag.source_function != "exec_stmt_raise":
        words = _WORD.sub(" ", type(error).__name__).lower()
        column = f"column {error.diag.column_name!r}: " if error.diag.column_name else ""
        return f"{column}{words}"
    return reason_without_values(error).removesuffix(f" (SQLSTATE {state})")


def _remedy(error: psycopg.Error) -> str:
    if is_policy(error):
        return "A policy of row-level security came up: let this user see all rows with ALTER ROLE ... BYPASSRLS"
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return "Give the connection of a server, and a user, that may write"
    if isinstance(error, psycopg.errors.QueryCanceled):
        return "Raise statement_timeout, or lower batch_rows"
    if error.sqlstate == _CHECK:
        return "Create a partition for such rows, or a default one; nothing of the batch was applied"
    return ""


def _in_column(diag: Any, shape: TargetShape) -> str:
    """Return the column that COPY names, without the value behind it."""
    context = getattr(diag, "context", None) or ""
    found = _COLUMN.findall(context.partition('"')[0])
    if not context.startswith("COPY") or not found or int(found[-1]) >= len(shape.columns):
        return ""
    column = shape.columns[int(found[-1])]
    return f"column {column.name!r} ({column.type}): "
