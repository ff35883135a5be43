"""Floating-point numbers of four bytes, in the fewest digits."""

import math
import struct
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_legacy_events.core.singles import shortest, single


def number(bits: int) -> float:
    return struct.unpack("f", struct.pack("I", bits))[0]


def digits(text: str) -> int:
    return len(Decimal(text).normalize().as_tuple().digits)


def lies_within(decimal: Decimal, of: float) -> bool:
    """Whether a number lies nearer to `of` than to any other number of four bytes; exactly, without rounding."""
    bits = struct.unpack("I", struct.pack("f", of))[0] & 0x7FFFFFFF
    below, above = (Decimal(number(bits - 1)) if bits else Decimal(0)), Decimal(number(bits + 1))
    middle = Decimal(abs(of))
    return (below + middle) / 2 < abs(decimal) < (middle + above) / 2


def is_finite(bits: int) -> bool:
    return bits & 0x7FFFFFFF < 0x7F7FFFFF


FINITE = st.integers(0, 2**32 - 1).filter(is_finite)


@given(FINITE)
@example(0)
@example(1)
@example(0x00800000)
@example(0x007FFFFF)
@example(0x12800000)  # a power of two: the nearest number of eight digits is not it
@example(0x7F7FFFFE)
def test_no_fewer_digits_give_the_same_four_bytes(bits):
    wanted = number(bits)
    found = shortest(repr(wanted))
    assert struct.pack("f", float(found)) == struct.pack("f", wanted)
    assert shortest(found) == found
    fewer = digits(found) - 1
    if fewer and digits(repr(wanted)) > 6:
        for rounding in (ROUND_FLOOR, ROUND_CEILING):
            assert not lies_within(Context(fewer, rounding).create_decimal_from_float(wanted), wanted)


@pytest.mark.parametrize(
    ("double", "written"),
    [
        ("3.140000104904175", "3.14"),
        ("5.599999904632568", "5.6"),
        ("-0.10000000149011612", "-0.1"),
        ("30.123459", "30.123459"),
        ("30.123460769653320", "30.12346"),
        ("1.000000013351432e-10", "1e-10"),
        ("0.000009999999747378752", "1e-5"),
        ("16777216", "16777216"),
        ("1.1754900067970481e-38", "1.17549e-38"),
        ("3.402820018375656e38", "3.40282e38"),
        ("3.4028234663852886e38", "3.4028235e38"),
        ("1.401298464324817e-45", "1e-45"),
        ("86665584", "86665584"),
        ("9.313225746154785e-10", "9.313226e-10"),
        ("1.262177448353619e-29", "1.2621775e-29"),
        ("0", "0"),
        ("-0", "-0"),
        ("0.5", "0.5"),
        ("0.1", "0.1"),
        ("0.30000000000000004", "0.30000000000000004"),
    ],
)
def test_the_digits_are_those_that_postgresql_writes_of_a_real_and_other_numbers_stay(double, written):
    assert shortest(double) == written


def test_what_is_beyond_all_of_them_stays_itself():
    assert single(1e39) == 1e39
    assert shortest("1.0000000000000001e39") == "1.0000000000000001e39"
    assert math.copysign(1, single(-0.0)) == -1
