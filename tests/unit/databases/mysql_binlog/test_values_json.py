"""MySQL's binary JSON, by bytes that MySQL 9.7 wrote."""

from __future__ import annotations

import random
import struct

import pytest

from airflow_legacy_events.databases.mysql.changelog.values.json_text import json_text
from tests.support.binlog_values import column, value


def opaque(type_: int, stored: bytes) -> bytes:
    return bytes([15, type_, len(stored)]) + stored


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (b"", "null"),
        (b"\x04\x00", "null"),
        (b"\x04\x01", "true"),
        (b"\x04\x02", "false"),
        (b"\x05\xff\xff", "-1"),
        (b"\x06\xff\xff", "65535"),
        (b"\x07\0\0\0\x80", "-2147483648"),
        (b"\x0a" + b"\xff" * 8, "18446744073709551615"),
        (b"\x0b" + struct.pack("<d", 1.0), "1.0"),
        (b"\x0b" + struct.pack("<d", 1e20), "1e20"),
        (b"\x0b" + struct.pack("<d", -0.5), "-0.5"),
        (b'\x0c\x07a"\n\x01\xc3\xa4/', '"a\\"\\n\\u0001ä/"'),
        (b"\x02\x02\x00\x0a\x00\x05\x01\x00\x04\x01\x00", "[1, true]"),
        (b"\x00\x01\x00\x0c\x00\x0b\x00\x01\x00\x05\x07\x00a", '{"a": 7}'),
        (opaque(246, bytes.fromhex("0302" + "8132")), "1.50"),
        (opaque(246, bytes.fromhex("0302" + "7ecd")), "-1.50"),
        (opaque(15, b"\xca\xfe"), '"base64:type15:yv4="'),
        (opaque(252, b"x" * 60), '"base64:type252:' + "eHh4" * 19 + "\\n" + "eHh4" + '"'),
    ],
)
def test_the_text_of_the_server(stored, text):
    assert json_text(stored) == text

    assert value(column(245, 4), len(stored).to_bytes(4, "little") + stored) == text


def test_moments_within_documents():
    day, clock = (2026 * 13 + 11) << 5 | 23, 9 << 12 | 15 << 6 | 2
    stored = ((day << 17 | clock) << 24 | 500_000).to_bytes(8, "little")
    assert json_text(opaque(12, stored)) == '"2026-11-23 09:15:02.500000"'
    assert json_text(opaque(10, (day << 41).to_bytes(8, "little"))) == '"2026-11-23"'
    late = -(838 << 12 | 59 << 6 | 58) << 24
    assert json_text(opaque(11, late.to_bytes(8, "little", signed=True))) == '"-838:59:58.000000"'


@pytest.mark.parametrize(
    "stored",
    [
        b"\x0d",
        b"\x04\x09",
        b"\x0c\x05a",
        b"\x0c\x01\xff",
        b"\x0c" + b"\xff" * 6,
        b"\x02\xff\xff\x04\x00",
        b"\x00\x01\x00\x0c\x00\xff\xff\x01\x00\x05\x07\x00a",
        b"\x0b" + struct.pack("<d", float("inf")),
        b"\x02\x01\x00\x07\x00\x02\x00\x00",
        opaque(246, bytes.fromhex("0302813299")),
    ],
)
def test_damaged_documents_are_errors(stored):
    with pytest.raises(ValueError, match="rows event"):
        value(column(245, 4), len(stored).to_bytes(4, "little") + stored)


def test_random_documents_end():
    r = random.Random(3)
    for _ in range(3_000):
        stored = bytes([r.choice([0, 1, 2, 3, 12, 15])]) + r.randbytes(r.randint(0, 60))
        try:
            json_text(stored)
        except (ValueError, LookupError, struct.error):
            continue
