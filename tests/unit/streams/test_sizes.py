"""Sizes as people write and read them; wrong ones are tried where an operator is given them."""

import pytest

from airflow_legacy_events.streams.sizes import bytes_of, shown


@pytest.mark.parametrize(
    ("size", "bytes_"),
    [(5, 5), ("5", 5), ("5 B", 5), ("100 kB", 102_400), ("1.5MB", 1_572_864), (" 5 gb ", 5 * 2**30), ("2TB", 2**41)],
)
def test_a_size_is_a_number_of_bytes(size, bytes_):
    assert bytes_of("max_wal=", size) == bytes_


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 bytes"), (1023, "1023 bytes"), (102_400, "100 kB"), (1_610_612_736, "1.5 GB")]
)
def test_a_size_is_shown_in_the_largest_fitting_unit(size, text):
    assert shown(size) == text
