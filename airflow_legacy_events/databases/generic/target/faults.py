"""What errors of other databases mean: by SQLSTATE, else by the classes of PEP 249."""

from __future__ import annotations

import re
from typing import Any

from airflow_legacy_events.databases.applying.faults import Fault, Meaning, meaning_of_state
from airflow_legacy_events.databases.generic.rights import missing
from airflow_legacy_events.databases.generic.writing import is_conflict, reason_of_driver, state_of

_OBJECTING = frozenset({"IntegrityError", "DataError"})
_UNIQUE = re.compile(
    r"PRIMARY or UNIQUE KEY|duplicate (?:key|value)|unique (?:constraint|index)|ORA-00001|SQL0803N", re.IGNORECASE
)
_GONE = re.compile(
    r"connection (?:shutdown|lost|is closed|was closed|reset|not open)|network request|closed connection|not connected",
    re.IGNORECASE,
)
_LOST_CONNECTION = "08"


def fault_of(error: BaseException, user: str | None) -> Fault:
    """Return what an error means.

    Args:
        error: of the driver, or of SQLAlchemy alone.
        user: of the connection; None: the driver's default.
    """
    state, text = state_of(error), " ".join(str(error).split())
    if gone := state.startswith(_LOST_CONNECTION) or _is_a(error, "InterfaceError") or bool(_GONE.search(text)):
        return Fault(Meaning.OTHER, state, reason_of_driver(error), retry_helps=True, gone=gone)
    meaning = _meaning(error, state)
    grants = missing(error, user)
    return Fault(
        meaning,
        state or type(error).__name__,
        reason_of_driver(error),
        remedy=f"Run the GRANT below:\n{grants[0]}" if grants else "",
        of_unique=meaning is Meaning.OBJECTION and bool(_UNIQUE.search(text)),
    )


def _meaning(error: BaseException, state: str) -> Meaning:
    if is_conflict(error):
        return Meaning.LOST
    if state and (found := meaning_of_state(state)) is not Meaning.OTHER:
        return found
    return Meaning.OBJECTION if any(_is_a(error, name) for name in _OBJECTING) else Meaning.OTHER


def _is_a(error: Any, name: str) -> bool:
    return any(one.__name__ == name for one in type(error).__mro__)
