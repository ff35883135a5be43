"""Numbers of the binlog, by bytes that servers wrote."""

from __future__ import annotations

import struct
from decimal import Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.databases.mysql.changelog.values import floats
from tests.support.binlog_values import column, value


@pytest.mark.parametrize(
    ("type_", "stored", "signed", "unsigned"),
    [
        (1, "ff", "-1", "255"),
        (2, "0080", "-32768", "32768"),
        (9, "ffff7f", "8388607", "8388607"),
        (9, "000080", "-8388608", "8388608"),
        (3, "ffffffff", "-1", "4294967295"),
        (8, "ffffffffffffffff", "-1", "18446744073709551615"),
    ],
)
def test_an_integer_has_a_sign_unless_it_is_unsigned(type_, stored, signed, unsigned):
    assert value(column(type_), bytes.fromhex(stored)) == signed
    assert value(column(type_, unsigned=True), bytes.fromhex(stored)) == unsigned


@pytest.mark.parametrize(
    ("precision", "scale", "stored", "text"),
    [
        (10, 4, "7ffff3ec77", "-12.5000"),
        (12, 2, "80000004d232", "1234.50"),
        (12, 2, "800000000000", "0.00"),
        (2, 2, "b2", "0.50"),
        (2, 0, "80", "0"),
        (2, 0, "7e", "-1"),
    ],
)
def test_a_decimal_has_all_its_decimals(precision, scale, stored, text):
    assert value(column(246, 256 * precision + scale), bytes.fromhex(stored)) == text


WIDE = Context(prec=65)


def stored_decimal(number: Decimal, precision: int, scale: int) -> bytes:
    """As the server stores it: groups of nine digits, the first bit inverted, all bits of a negative one."""
    digits = f"{int(number.copy_abs().scaleb(scale, WIDE)):0{precision}}"
    before = precision - scale
    counts = [before % 9, *[9] * (before // 9), *[9] * (scale // 9), scale % 9]
    sizes = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)
    found, at = b"", 0
    for count in counts:
        if count:
            found += int(digits[at : at + count]).to_bytes(sizes[count], "big")
        at += count
    found = bytes([found[0] ^ 128]) + found[1:]
    return bytes(255 - one for one in found) if number < 0 else found


@given(st.data(), st.integers(1, 65), st.integers(0, 30))
def test_any_decimal_is_read(data, precision, scale):
    scale = min(scale, precision)
    number = Decimal(data.draw(st.integers(-(10**precision) + 1, 10**precision - 1))).scaleb(-scale, WIDE)
    stored = stored_decimal(number, precision, scale)
    assert value(column(246, 256 * precision + scale), stored) == f"{number:.{scale}f}"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.5, "1.5"),
        (-3.25, "-3.25"),
        (100000.0, "100000"),
        (1e15, "1e15"),
        (123456789012345.0, "123456789012345"),
        (1234567890123456.8, "1234567890123456.8"),
        (1e-5, "0.00001"),
        (1.5e-15, "0.0000000000000015"),
        (1e-15, "0.000000000000001"),
        (1e-16, "1e-16"),
        (-1.7976931348623157e308, "-1.7976931348623157e308"),
        (5e-324, "5e-324"),
    ],
)
def test_a_double_has_the_digits_and_the_exponent_of_the_servers(number, text):
    assert value(column(5, 8), struct.pack("<d", number)) == text


def test_a_float_has_the_digits_of_its_double():
    assert value(column(4, 4), bytes.fromhex("cdcccc3d")) == "0.10000000149011612"


@pytest.mark.parametrize(
    ("number", "scale", "text"),
    [(1.5, 2, "1.50"), (-0.005, 3, "-0.005"), (1e20, 2, "100000000000000000000.00"), (0.0, 0, "0"), (7.0, 0, "7")],
)
def test_a_double_with_a_scale_has_all_its_decimals(number, scale, text):
    assert value(column(5, 8, declared=f"double(30,{scale})"), struct.pack("<d", number)) == text


@given(st.decimals(-(10**9), 10**9, places=3, allow_nan=False))
def test_any_double_with_a_scale_is_written_as_it_was_given(number):
    assert floats.rounded(float(number), 3) == f"{float(number):.3f}"


def test_bits_are_digits():
    assert value(column(16, 2 + 256), b"\x03\xe1") == "1111100001"
    assert value(column(16, 1), b"\x01") == "1"
    assert value(column(16, 8 * 256), b"\x80" + b"\0" * 7) == "1" + "0" * 63


def test_a_year_is_a_number():
    assert [value(column(13), bytes([one])) for one in (0, 1, 126, 255)] == ["0", "1901", "2026", "2155"]
