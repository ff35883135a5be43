"""Truncation warnings: MySQL and MariaDB cut, clamp or lose values with only a warning. Such a warning fails the page.

The driver has the warning count after each result, so the server is only queried if it isn't zero. Numbers and meanings
are those of `SHOW WARNINGS`, as observed on MariaDB 10.11 and 11.8 and MySQL 5.6 and 9.7.
"""

from __future__ import annotations

import logging
import re

import MySQLdb

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.mysql.session import INTERRUPTED, Session, code_of

_LOST_CHARACTER = (
    "a text holds a character or byte that the character set of the query's conversion does not have. Read"
)
_LOST_CHARACTER += " the column without CONVERT or CAST, or CAST(... AS BINARY)"
_BEYOND = "a number is out of range for its type, and became the type's maximum or NULL. CAST to a type that holds it"
_CUT = {
    1260: "a list of GROUP_CONCAT, JSON_ARRAYAGG or JSON_OBJECTAGG is longer than group_concat_max_len. Make the groups"
    " smaller, or raise group_concat_max_len at the server",
    1264: _BEYOND,
    1265: "a value does not fit its type. CAST to a type that holds it",
    1300: _LOST_CHARACTER,
    1301: "the result of a function is longer than max_allowed_packet, and became NULL. Raise max_allowed_packet at the"
    " server, or leave the column out",
    1406: "a value is too long for its type. CAST to a type that holds it",
    1916: _BEYOND,
    1931: "the query reached its limit of examined rows or recursions, so rows are missing. Remove LIMIT ROWS EXAMINED,"
    " or raise max_recursive_iterations at the server",
    1977: _LOST_CHARACTER,
    3854: _LOST_CHARACTER,
    6527: _BEYOND,
}
"""Warning numbers that mean a wrong result, with the reason and the remedy."""

_CONVERTED = frozenset({1292, 1366, 1411, 1441})
"""Warning numbers of text that the query itself converts to numbers or times, as in `WHERE code = 5` or `name + 0`."""

_TRUNCATED = 1292
_SHORTENED = re.compile(r"Truncated incorrect (?:N?CHAR|BINARY|VARCHAR|VARBINARY)\(\d+\)")
_LARGE = re.compile(
    r"Truncated incorrect (?:INTEGER|DECIMAL) value: '-?(?:\d{19,}(?:\.\d*)?|\d(?:\.\d+)?e\+?(?:1[89]|[2-9]\d|\d{3}))'"
)
_LEFT = "a CAST shortens a text. Write LEFT(...) if that is intended"


class Cuts:
    """Checks the warnings of reads.

    Args:
        conn_id: Airflow's name of the connection.
        log: of the task.
    """

    def __init__(self, conn_id: str, log: logging.Logger) -> None:
        self._conn_id, self._log = conn_id, log
        self._reported: set[int] = set()

    def check(self, session: Session, *, computed: bool, ended: bool) -> None:
        """Check that the server cut no value read by the last statement of a session.

        Args:
            session: the one that ran the statement.
            computed: whether the columns may be computed by a query or view.
            ended: whether the result was read to its end; otherwise the driver has no warning count.

        Raises:
            SourceError: a value was cut. The error contains the warning's number, never the value.
        """
        if ended and not (number := session.connection.warning_count()):
            return
        if not ended:
            if not computed:
                return
            number = 0
        found = _warnings(session)
        for code, text in found:
            why = _of_truncated(text) if code == _TRUNCATED else _CUT.get(code)
            if why is not None:
                raise SourceError(
                    f"connection {self._conn_id!r}: the server cut what was read (warning {code}): {why}. No row of the"
                    " page was sent"
                )
        if computed:
            self._warn(found, number)

    def _warn(self, found: list[tuple[int, str]], number: int) -> None:
        for code in sorted({code for code, _ in found} & _CONVERTED - self._reported):
            self._reported.add(code)
            self._log.warning(
                "connection %r: the query converts texts that are not numbers or times (warning %s of the server); the"
                " converted values are sent. A CAST or a condition in the query avoids it",
                self._conn_id,
                code,
            )
        if number > len(found) and 0 not in self._reported:
            self._reported.add(0)
            self._log.warning(
                "connection %r: of the server's %s warnings only the first %s are kept, so whether a value was cut is"
                " not known. Raise max_error_count at the server, or avoid the cause of the warnings",
                self._conn_id,
                number,
                len(found),
            )


def _of_truncated(text: str) -> str | None:
    """Return what a warning of that number says is cut; None where it is about a text that is no number or time."""
    if _SHORTENED.match(text):
        return _LEFT
    return _BEYOND if _LARGE.match(text) else None


def _warnings(session: Session) -> list[tuple[int, str]]:
    """Return numbers and texts of the last statement's warnings. A KILL that arrived after its end is absorbed."""
    try:
        rows = session.rows("SHOW WARNINGS")
    except MySQLdb.Error as error:
        if code_of(error) not in INTERRUPTED:
            raise
        rows = session.rows("SHOW WARNINGS")
    return [(int(code), str(text)) for level, code, text in rows if level == "Warning"]
