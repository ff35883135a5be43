"""A transaction that the database sacrificed to another one is tried again, a few times."""

import pytest

from airflow_legacy_events.core.ports import Answer
from airflow_legacy_events.databases.writing import retried


class DeadlockError(Exception):
    """What a driver says of it."""


def is_deadlock(error):
    return isinstance(error, DeadlockError)


def failing(*errors):
    """A transaction that raises these errors in turn, then succeeds."""
    left = list(errors)

    def transaction():
        if left:
            raise left.pop(0)
        return [Answer([], 1)]

    return transaction


def test_a_deadlock_is_tried_again():
    assert retried(failing(DeadlockError(), DeadlockError()), is_deadlock) == [Answer([], 1)]


def test_one_that_stays_is_raised():
    with pytest.raises(DeadlockError):
        retried(failing(*[DeadlockError() for _ in range(5)]), is_deadlock)


def test_any_other_error_is_raised_at_once():
    transaction = failing(ValueError("no deadlock"))

    with pytest.raises(ValueError, match="no deadlock"):
        retried(transaction, is_deadlock)
    assert transaction() == [Answer([], 1)]
