"""Faults: what an error of a driver means for a transaction."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

_DATA, _CONSTRAINT, _ROLLED_BACK = "22", "23", "40"


class Meaning(Enum):
    """What an error means: for the values, for the transaction, or for the run."""

    OBJECTION = "values"
    LOST = "transaction"
    OTHER = "run"


class Fault(NamedTuple):
    """An error of a driver.

    Attributes:
        meaning: of it.
        code: SQLSTATE or error number; empty if there is none.
        reason: a sentence without values of rows.
        remedy: what to do, such as the GRANT to run; empty if nothing is known.
        retry_helps: whether the same task may pass later, as after an outage.
        of_unique: whether a unique index or constraint objects.
        gone: whether the connection is lost, as far as SQLAlchemy does not know.
    """

    meaning: Meaning
    code: str
    reason: str
    remedy: str = ""
    retry_helps: bool = False
    of_unique: bool = False
    gone: bool = False


def meaning_of_state(state: str) -> Meaning:
    """Return what a SQLSTATE means by its class.

    Data exceptions (22) and violated constraints (23) are about values, a transaction rollback (40) is tried again, and
    all else ends the run.
    """
    found = {_DATA: Meaning.OBJECTION, _CONSTRAINT: Meaning.OBJECTION, _ROLLED_BACK: Meaning.LOST}
    return found.get(state[:2], Meaning.OTHER)
