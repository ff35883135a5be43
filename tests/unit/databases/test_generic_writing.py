"""What is said of the errors of databases that the tests can't start, and which of them are tried again."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.ports import Answer
from airflow_legacy_events.databases.generic.writing import reason_without_values, written

SECRET = "Ada.Lovelace"


class DriverError(Exception):
    """As drivers raise it."""

    def __init__(self, *args: object, **codes: object) -> None:
        super().__init__(*args)
        self.__dict__.update(codes)


class OracleError:
    """The only argument of an error of python-oracledb."""

    full_code = "ORA-02292"

    def __str__(self) -> str:
        return f"ORA-02292: integrity constraint violated - child record found: {SECRET}"


def wrapped(error: Exception, *, lost: bool = False) -> sa.exc.DBAPIError:
    return sa.exc.OperationalError("DELETE FROM t", {}, error, connection_invalidated=lost)


FIREBIRD = DriverError(
    f'violation of FOREIGN KEY constraint "FK" on table "T"\n-Problematic key value is ("ID" = {SECRET})',
    sqlstate="23000",
    sqlcode=-530,
)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FIREBIRD, 'violation of FOREIGN KEY constraint "FK" on table "T", SQLSTATE 23000, code -530'),
        (DriverError(OracleError()), "DriverError, code ORA-02292"),
        (
            DriverError("23000", f"[23000] [Microsoft] duplicate key is ({SECRET}). (2627)"),
            "DriverError, SQLSTATE 23000",
        ),
        (DriverError(f"duplicate {SECRET}", pgcode="23505"), "DriverError, SQLSTATE 23505"),
        (DriverError(1062, f"Duplicate entry {SECRET}"), "DriverError, code 1062"),
        (DriverError(SECRET), "DriverError"),
        (DriverError(), "DriverError"),
    ],
)
def test_a_reason_is_made_of_kind_and_codes(error, said):
    assert reason_without_values(wrapped(error)) == said


def tried(error: Exception) -> int:
    """How often a transaction is begun that always fails so."""
    begun = []

    def transaction() -> list[Answer]:
        begun.append(1)
        raise error

    with pytest.raises(SourceError, match="could not be written") as failed:
        written("s", transaction)
    assert SECRET not in str(failed.value)
    assert failed.value.__cause__ is None
    return len(begun)


@pytest.mark.parametrize(
    "error",
    [
        DriverError("deadlock\n-update conflicts with concurrent update", sqlstate="40001"),
        DriverError("lock conflict on no wait transaction"),
        DriverError("ORA-00060: deadlock detected while waiting for resource"),
        DriverError("40001", "Transaction was deadlocked on lock resources"),
        DriverError("could not serialize access", pgcode="40001"),
    ],
)
def test_a_conflict_is_tried_again(error):
    assert tried(wrapped(error)) == 5


@pytest.mark.parametrize("error", [FIREBIRD, DriverError("no space left"), DriverError(SECRET)])
def test_any_other_error_is_not_tried_again(error):
    assert tried(wrapped(error)) == 1


def test_a_lost_connection_is_not_tried_again():
    assert tried(wrapped(DriverError("deadlock"), lost=True)) == 1
