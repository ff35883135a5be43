"""Write transactions on behalf of the holder of a stream's lock."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from airflow_legacy_events.core.errors import LegacyEventsError, SourceError
from airflow_legacy_events.core.ports import Answer
from airflow_legacy_events.databases.errors import one_line

_QUOTED = re.compile(r"""(['"]).*\1""", re.DOTALL)
_PLACE = re.compile(r""" for column [`'][^'"]+[`'] at row \d+(?: \(error \d+\))?\Z""")
_TRIES = 5
_LONGEST_PAUSE_SECONDS = 0.1


class Reading(NamedTuple):
    """How a database reads rows inside a write transaction.

    Attributes:
        compiled: returns the text and parameters of a SQLAlchemy statement.
        refused: returns the error for a row that can't be carried, such as text that is not UTF-8, from a driver error
            and the driver's session; None for any other error.
        begin: prepares the driver's session, in the transaction.
    """

    compiled: Callable[[Any], tuple[str, Any]]
    refused: Callable[[Exception, Any], LegacyEventsError | None]
    begin: Callable[[Any], None] = lambda _: None


class Right(NamedTuple):
    """Right that a statement needs besides SELECT to change rows.

    Attributes:
        verb: `DELETE` or `UPDATE`.
        columns: those that are set.
        schema: of the table; None where the statement names none.
        table: its name.
    """

    verb: str
    columns: tuple[str, ...]
    schema: str | None
    table: str

    @classmethod
    def of(cls, statement: Any) -> Right:
        """Return the right that a SQLAlchemy DELETE or UPDATE needs."""
        values = getattr(statement, "_values", None) or {}
        columns = tuple(str(getattr(one, "key", one)) for one in values)
        return cls("UPDATE" if columns else "DELETE", columns, statement.table.schema, statement.table.name)

    def grant(self, on: str, to: str, quote: Callable[[str], str]) -> str:
        """Return the GRANT statement; `on` and `to` are already quoted, `quote` quotes column names."""
        columns = f" ({', '.join(map(quote, self.columns))})" if self.columns else ""
        return f"Run the GRANT below:\nGRANT {self.verb}{columns} ON {on} TO {to}"


def in_order(statements: Sequence[Any], run: Callable[[Any], Answer]) -> list[Answer]:
    """Return the answer to each statement. A function is called with the earlier answers to make its statement.

    Args:
        statements: see `core.ports.Lease.execute`.
        run: runs one statement.
    """
    answers: list[Answer] = []
    for one in statements:
        statement = one(list(answers)) if callable(one) else one
        answers.append(Answer([], 0) if statement is None else run(statement))
    return answers


def masked(text: str) -> str:
    """Return a database message on one line, without its quoted parts: they may be values of a row.

    The column that MySQL and MariaDB name at the end is kept.
    """
    place = _PLACE.search(text)
    sentence, end = (text, "") if place is None else (text[: place.start()], place[0])
    return one_line(_QUOTED.sub(lambda found: f"{found[1]}...{found[1]}", sentence) + end)


def retried(transaction: Callable[[], list[Answer]], is_deadlock: Callable[[Exception], bool]) -> list[Answer]:
    """Return a transaction's result; it is retried from the start if the database chose it as a deadlock victim.

    Args:
        transaction: must have changed nothing when it raises.
        is_deadlock: whether a driver error reports a deadlock.
    """
    for _ in range(_TRIES - 1):
        try:
            return transaction()
        except Exception as error:
            if not is_deadlock(error):
                raise
        time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311  not a secret; spreads the retries
    return transaction()


def not_written(stream: str, reason: object) -> SourceError:
    """Return the error for a failed transaction; `reason` contains no row values."""
    return SourceError(
        f"what stream {stream!r} acknowledges at its source could not be written: {one_line(reason)}. What was"
        " delivered is saved; the next run acknowledges it again"
    )
