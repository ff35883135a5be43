"""Chunks of rows, and how far their width is let go."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.databases.chunks import CHUNK_BYTES, Chunks

NARROW = (1, "a", None)
MIB = 2**20


def served(rows, chunks):
    """Chunks as a driver serves them: of as many rows as are asked for, now."""
    left = list(rows)
    while left:
        chunk, left = left[: chunks.rows], left[chunks.rows :]
        yield chunk


def singly(rows):
    left = iter(rows)
    return lambda: next(left, None)


def test_narrow_rows_are_fetched_in_ever_larger_chunks():
    chunks = Chunks()
    assert len(chunks.gather(served([NARROW] * 1_000, chunks), None)) == 1_000
    assert chunks.rows == 128


def test_a_chunk_shrinks_within_a_page():
    chunks = Chunks()
    wide = [(1, "x" * MIB, None)] * 300
    chunks.gather(served([NARROW] * 1_000, chunks), None)
    asked = [len(chunk) for chunk in _recorded(served(wide, chunks), chunks)]
    assert asked == [128, *[1] * 172]


def _recorded(made, chunks):
    found = []

    def recorded():
        for chunk in made:
            found.append(chunk)
            yield chunk

    chunks.gather(recorded(), None)
    return found


def test_rows_that_are_handed_over_singly_are_never_held_beyond_a_chunk_and_one_row():
    rows = [NARROW] * 500 + [(1, "x" * MIB, b"y" * MIB)] * 5
    sizes = [
        [len(chunk), sum(len(value) for row in chunk for value in row[1:] if value)] for chunk in _one_by_one(rows)
    ]
    assert sum(count for count, _ in sizes) == 505
    assert [size for _, size in sizes[-4:]] == [2 * CHUNK_BYTES] * 4
    assert max(count for count, _ in sizes) == 128


def _one_by_one(rows):
    return list(Chunks().one_by_one(singly(rows)))


def test_a_page_ends_by_the_memory_that_its_rows_take():
    emoji = [(1, "x" * 99_999 + "😀", None)] * 100
    plain = [(1, "x" * 100_000, None)] * 100
    found = [len(Chunks().gather(([row] for row in rows), 4_000_000)) for rows in (plain, emoji)]
    assert found == [40, 10]


@pytest.mark.parametrize(
    ("row", "size"),
    [
        ((1, "x" * 600, b"y" * 500), 1_108),
        ((1, "ü" * 600, None), 1_216),
        ((1, "x" * 1_001, "😀" * 7), 1_037),
    ],
)
def test_a_row_that_is_too_large_is_refused_by_its_size_and_the_names_of_its_key(row, size):
    told = rf"connection 'crm': a row of {size} bytes is larger than max_row_bytes=1024; key columns 'a', 'b';"
    with pytest.raises(EnvelopeError, match=told) as error:
        Chunks("crm", 1_024).gather([[NARROW, row]], None, ("a", "b"))
    assert "xx" not in str(error.value)


def test_a_row_of_the_size_that_is_allowed_is_read():
    row = (1, "x" * 1_000, b"12345678")
    assert Chunks("crm", 1_024).gather([[row], [row, row]], None) == [row] * 3
