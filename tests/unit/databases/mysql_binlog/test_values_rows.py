"""Images of rows: NULL, columns that are passed over, runs of fixed sizes, damage."""

from __future__ import annotations

import contextlib
import random
import struct

import pytest

from airflow_legacy_events.databases.mysql.changelog import rows
from airflow_legacy_events.databases.mysql.changelog.model import UnreadableValueError
from airflow_legacy_events.databases.mysql.changelog.rows import row_reader
from tests.support.binlog_values import column, images, read, rows_event, table_map, unconverted

INT, VARCHAR = column(3), column(15, 80, character_set="utf8mb4")
TEXT, BYTES = column(252, 2, character_set="utf8mb4"), column(252, 4, character_set="binary")
MOMENT, AMOUNT = column(17, 6), column(246, 12 * 256 + 2)


def stored(number: int | None, text: str | None) -> bytes:
    nulls = (number is None) | (text is None) << 1
    encoded = b"" if text is None else bytes([len(text.encode())]) + text.encode()
    return bytes([nulls]) + (b"" if number is None else struct.pack("<i", number)) + encoded


def test_images_follow_each_other_whatever_is_null():
    wanted = [(1, "a"), (2, "b"), (None, "ä"), (3, None), (None, None), (-4, ""), (5, "€uro")]
    body = b"".join(stored(*row) for row in wanted)
    assert read([INT, VARCHAR], body) == [(None if one is None else str(one), text) for one, text in wanted]


def test_bits_behind_the_last_column_mean_nothing():
    assert read([INT, VARCHAR], b"\xfc" + stored(7, "x")[1:] + stored(8, "y")) == [("7", "x"), ("8", "y")]


@pytest.mark.parametrize("passed_over", [0, 1, 2, 3, 4, 5])
def test_a_column_that_is_no_part_of_rows_is_passed_over(passed_over):
    columns = [INT, VARCHAR, AMOUNT, TEXT, MOMENT, BYTES]
    body = bytes(1) + struct.pack("<i", 9) + b"\x01v" + bytes.fromhex("80000004d232") + b"\x02\0tt"
    body += bytes.fromhex("6955b900000019") + b"\x03\0\0\0\0\x01\xff"
    values = ["9", "v", "1234.50", "tt", "2026-01-01 00:00:00.000025+00", b"\0\x01\xff"]
    assert read(columns, body * 2) == [tuple(values)] * 2
    columns[passed_over] = columns[passed_over]._replace(column=None, character_set="swe7")
    del values[passed_over]
    assert read(columns, body * 2) == [tuple(values)] * 2


def test_more_patterns_of_null_than_have_code_of_their_own(monkeypatch):
    monkeypatch.setattr(rows, "_MOST_PATTERNS", 3)
    r, columns = random.Random(1), [INT, VARCHAR] * 10
    wanted, body = [], b""
    for _ in range(200):
        row = [None if r.random() < 0.5 else r.choice([1, 2**31 - 1]) for _ in columns]
        nulls = sum(1 << at for at, one in enumerate(row) if one is None)
        body += nulls.to_bytes(3, "little")
        for one, number in zip(columns, row, strict=True):
            if number is not None:
                body += struct.pack("<i", number) if one is INT else bytes([len(str(number))]) + str(number).encode()
        wanted.append(tuple(None if one is None else str(one) for one in row))
    assert read(columns, body) == wanted


@pytest.mark.parametrize("patterns", [1, 24])
@pytest.mark.parametrize("old", [(), (0,), (3, 1), (0, 1, 2, 3)])
def test_of_rows_before_an_update_only_some_values_are_read(monkeypatch, patterns, old):
    monkeypatch.setattr(rows, "_MOST_PATTERNS", patterns)
    r, columns = random.Random(5), [INT, VARCHAR, INT._replace(column=None), VARCHAR, INT]
    body = b""
    for _ in range(300):
        nulls = r.choice([0, 0, 0, 0b10, 0b10010])
        texts = [b"\x01a", b"\x01b", b"\x00"]
        values = [struct.pack("<i", r.randint(0, 9)) if one.type == INT.type else r.choice(texts) for one in columns]
        body += bytes([nulls]) + b"".join(value for at, value in enumerate(values) if not nulls >> at & 1)
    full = images(columns, body, "u")
    found = images(columns, body, "u", old)
    assert len(found) == 300
    assert found[1::2] == full[1::2]
    for light, whole in zip(found[::2], full[::2], strict=True):
        assert [light[at] for at in old] == [whole[at] for at in old]
        assert all(one in (None, other) for one, other in zip(light, whole, strict=True))
    if patterns > 1 and not old:
        assert set(found[0]) == {None}
    assert images(columns, body, "c", old) == full
    with pytest.raises(ValueError, match="rows event"):
        images(columns, body[:-1], "u", old)


def test_an_old_image_without_a_new_one_is_damage():
    with pytest.raises(ValueError, match="rows event"):
        images([INT, VARCHAR], stored(1, "a") + stored(1, "b") + stored(2, "c"), "u", (0,))


def test_equal_maps_share_a_reader():
    columns = [INT, VARCHAR]
    assert row_reader(table_map(columns), columns, unconverted) is row_reader(table_map(columns), columns, unconverted)
    assert row_reader(table_map(columns), columns, unconverted) is not row_reader(
        table_map(columns, "other"), columns, unconverted
    )


def test_an_image_that_is_cut_is_damage():
    columns = [INT, VARCHAR, AMOUNT, TEXT, MOMENT, BYTES]
    body = bytes(1) + struct.pack("<i", 9) + b"\x01v" + bytes.fromhex("80000004d232") + b"\x02\0tt"
    body += bytes.fromhex("6955b900000019") + b"\x03\0\0\0\0\x01\xff"
    for end in range(1, len(body)):
        with pytest.raises(ValueError, match="rows event"):
            read(columns, body + body[:end])


def test_damaged_bytes_are_an_error_or_other_rows():
    r = random.Random(2)
    columns = [INT, VARCHAR, AMOUNT, TEXT, MOMENT, BYTES, column(247, 1, labels=("a", "b")), column(10), column(19, 3)]
    columns += [column(245, 4), column(248, 1, labels=("x",)), column(140, 2, character_set="utf8mb4"), column(16, 3)]
    for _ in range(3_000):
        with contextlib.suppress(ValueError, UnreadableValueError):
            read(columns, r.randbytes(r.randint(1, 90)))


def test_damaged_metadata_are_an_error_or_other_rows():
    r, types = random.Random(4), [*range(20), 140, 141, 242, *range(245, 256)]
    for _ in range(150):
        columns = [column(r.choice(types), r.choice([r.randrange(2**16), r.randrange(12)])) for _ in range(2)]
        with contextlib.suppress(ValueError, UnreadableValueError):
            read(columns, bytes(1) + r.randbytes(r.randint(0, 40)))
    with pytest.raises(ValueError, match="table map"):
        read([column(17, 9)], b"")


def test_an_unknown_type_is_an_error_that_names_its_column():
    with pytest.raises(UnreadableValueError, match=r"column 'c' has type 200"):
        row_reader(table_map([column(200)]), [column(200)], unconverted)


def test_an_event_without_images_has_no_rows():
    assert row_reader(table_map([INT]), [INT], unconverted).images(rows_event(b"", 1)) == []
