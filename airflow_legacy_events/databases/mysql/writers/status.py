"""Transactions in the text of SHOW ENGINE INNODB STATUS, which is never older than the question."""

from __future__ import annotations

import re
from collections.abc import Iterator

from airflow_legacy_events.databases.mysql.session import Session
from airflow_legacy_events.databases.mysql.writers.transactions import Transaction

_LIST, _CUT = "LIST OF TRANSACTIONS FOR EACH SESSION", "... truncated..."
_ONE = re.compile(r"^---TRANSACTION (?P<id>\S+), (?P<state>.*)$", re.MULTILINE)
_LOCKS = re.compile(r"(\d+) lock struct\(s\)")
_CHANGES = re.compile(r"undo log entries (\d+)")
_THREAD = re.compile(r"^\w+ thread id (\d+),", re.MULTILINE)
_NEXT = re.compile(r"^Trx id counter (\d+)", re.MULTILINE)
_NOT_STARTED = "not started"


def status_of(session: Session) -> str:
    """Return the text."""
    [(*_, text)] = session.rows("SHOW ENGINE INNODB STATUS")
    return text.decode(errors="replace") if isinstance(text, bytes) else str(text)


def transactions_in(text: str) -> list[Transaction] | None:
    """Return the transactions; None if the server left out some.

    Statements are part of the text. One that looks like the server's own lines can add a transaction, or make the list
    look cut, and hides none.
    """
    _, listed, rest = text.partition(_LIST)
    return list(_found(rest)) if listed and _CUT not in text else None


def next_number(text: str) -> int | None:
    """Return the number of the next transaction; None if it is missing."""
    found = _NEXT.search(text)
    return int(found[1]) if found else None


def _found(text: str) -> Iterator[Transaction]:
    heads = list(_ONE.finditer(text))
    for at, head in enumerate(heads):
        if head["state"].startswith(_NOT_STARTED):
            continue
        end = heads[at + 1].start() if at + 1 < len(heads) else len(text)
        body = text[head.end() : end]
        locks, changes, thread = (_number(one, body) for one in (_LOCKS, _CHANGES, _THREAD))
        yield Transaction(head["id"], thread, None, locks + changes > 0)


def _number(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    return int(found[1]) if found else 0
