"""Text that a terminal must not obey."""

import pytest

from airflow_legacy_events.core.printable import printable, printable_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("crm.orders@é 😀", "crm.orders@é 😀"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\tc\x7f", "a\\nb\\tc\\x7f"),
        ("\x9b2J", "\\x9b2J"),
        ("\u202egnp", "\\u202egnp"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_has_no_shape_is_escaped(text, shown):
    assert printable(text) == shown


def test_ends_of_lines_stay():
    assert printable_lines("a\n\x1bb") == "a\n\\x1bb"
