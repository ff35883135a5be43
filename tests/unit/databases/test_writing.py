"""A transaction that the database sacrificed to another one is tried again, a few times."""

import pytest

from airflow_legacy_events.core.ports import Answer
from airflow_legacy_events.databases.writing import masked, retried


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Duplicate entry 'Ada' for key 't.body' (error 1062)", "Duplicate entry '...' (error 1062)"),
        ("Duplicate entry 'O'Neil' for key 'body'", "Duplicate entry '...'"),
        ("Incorrect value: 'a \"b' for column 'c' at row 1", "Incorrect value: '...' for column 'c' at row 1"),
        (
            "Incorrect value: 'a' for column 'b' at row 1' for column `d`.`t`.`c` at row 1 (error 1366)",
            "Incorrect value: '...' for column `d`.`t`.`c` at row 1 (error 1366)",
        ),
        ("Incorrect value: 'a for column 'b' at row 1'", "Incorrect value: '...'"),
        ('Invalid JSON text: "a\n\'b" at 3', 'Invalid JSON text: "..." at 3'),
        ("Lock wait timeout exceeded", "Lock wait timeout exceeded"),
    ],
)
def test_what_a_sentence_quotes_is_masked(text, shown):
    assert masked(text) == shown
