"""The judge of the writers' proof: what may follow the last row of a key, by its history."""

import pytest

from tests.faults.changelog_seen import follows, since

HISTORY = [("c", 1), ("u", 2), ("d", None), ("c", 4), ("u", 5)]


@pytest.mark.parametrize(
    ("sent", "due", "whole"),
    [
        ([("u", 2), ("d", None)], [("u", 2), ("d", None)], True),
        ([("u", 2), ("d", None)], [("u", 2), ("d", None)], False),
        ([("d", None)], [("u", 2), ("d", None)], False),
        ([("d", None), ("c", 4)], [("u", 2), ("d", None), ("c", 4)], False),
        ([("d", None), ("d", None)], [("d", None), ("c", 4), ("d", None)], False),
        ([("c", 4), ("u", 5)], HISTORY, False),
        ([], [("u", 2), ("d", None)], False),
    ],
)
def test_what_was_due_may_follow(sent, due, whole):
    assert follows(sent, due, whole=whole)


@pytest.mark.parametrize(
    ("sent", "due", "whole"),
    [
        ([("d", None)], [("u", 2), ("d", None)], True),  # its row was saved
        ([], [("u", 2)], False),
        ([("d", None)], [("u", 2), ("d", None), ("c", 4)], False),
        ([("u", 5)], HISTORY, False),  # its insert is missing
        ([("d", None), ("d", None)], [("u", 2), ("d", None)], False),
        ([("d", None), ("u", 5)], [("d", None), ("c", 4), ("u", 5)], False),
    ],
)
def test_what_is_missing_is_found(sent, due, whole):
    assert not follows(sent, due, whole=whole)


def test_a_killed_run_may_have_sent_more_than_was_saved():
    due = [("u", 2), ("u", 3), ("d", None)]
    assert follows([("u", 2), ("d", None)], due, whole=False, unsaved=1)
    assert not follows([("u", 2), ("d", None)], due, whole=False)
    assert not follows([("u", 3), ("d", None)], due, whole=False, unsaved=1)


def test_a_killed_run_may_have_passed_the_place_of_a_key_without_a_row():
    due, sent = [*HISTORY, ("d", None)], [("c", 4), ("d", None)]
    assert follows(sent, due, whole=False, unsaved=1)
    assert not follows(sent, due, whole=False)
    assert not follows([("c", 4)], HISTORY, whole=False, unsaved=1)
    assert not follows([("u", 5), ("d", None)], due, whole=False, unsaved=1)


def test_history_begins_behind_the_version_of_the_row():
    assert since(HISTORY, 2) == HISTORY[2:]
    assert since(HISTORY, None) == HISTORY
