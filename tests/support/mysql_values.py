"""Values of the types of MariaDB and MySQL as parameters of an INSERT: the extremes of each, then random ones."""

from __future__ import annotations

import ipaddress
import struct
import uuid
from collections.abc import Callable
from random import Random
from typing import Any

from tests.support.postgres_values import day, digits, document, floating, one_of, text, whole

Make = Callable[[Random], Any]


def decimal(whole_digits: int, scale: int, *, signed: bool = True) -> tuple[tuple[str, ...], Make]:
    """Values of decimal(whole_digits + scale, scale)."""
    most = "9" * whole_digits + ("." + "9" * scale if scale else "")

    def made(r: Random) -> str:
        fraction = "." + digits(r, scale) if scale else ""
        return r.choice(["", "-"] if signed else [""]) + (digits(r, whole_digits) if whole_digits else "0") + fraction

    return ("0", most, f"-{most}") if signed else ("0", most), made


def integers(bits: int) -> tuple[tuple[str, ...], Make]:
    return (str(-(2 ** (bits - 1))), str(2 ** (bits - 1) - 1), "0"), whole(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def unsigned(bits: int) -> tuple[tuple[str, ...], Make]:
    return (str(2**bits - 1), "0"), whole(0, 2**bits - 1)


def bits(count: int) -> tuple[tuple[int, ...], Make]:
    return (0, 1, 2**count - 1), lambda r: r.getrandbits(count)


def blobs(longest: int, *always: bytes) -> tuple[tuple[bytes, ...], Make]:
    return (b"", *always), lambda r: r.randbytes(r.randint(0, min(longest, 20)))


def texts(longest: int, *always: str) -> tuple[tuple[str, ...], Make]:
    return ("", *always), lambda r: text(r, min(longest, 12))


def _fraction(r: Random) -> str:
    return r.choice(["", f".{r.randint(0, 9)}", f".{r.randint(0, 999_999):06}"])


def _clock(r: Random) -> str:
    return f"{r.randint(0, 23):02}:{r.randint(0, 59):02}:{r.randint(0, 59):02}{_fraction(r)}"


def time_of_day(r: Random) -> str:
    return f"{r.choice(['', '-'])}{r.randint(0, 838)}:{r.randint(0, 59):02}:{r.randint(0, 58):02}{_fraction(r)}"


def odd_day(r: Random) -> str:
    """At times a day without year, month or day."""
    year, month, day_ = day(r).split("-")
    return f"{r.choice([year, year, '0000'])}-{r.choice([month, month, '00'])}-{r.choice([day_, day_, '00'])}"


def instant(r: Random) -> str:
    return f"{r.randint(1971, 2037)}-{r.randint(1, 12):02}-{r.randint(1, 28):02} {_clock(r)}"


DATES = (("0000-00-00", "0001-01-01", "9999-12-31", "2026-00-17", "2026-11-00", "0000-05-05", "2024-02-29"), odd_day)
TIMES = (("-838:59:59", "838:59:59", "00:00:00", "-00:00:00.5", "24:00:00", "-838:59:58.999999"), time_of_day)
DATETIMES = (
    (
        *("0000-00-00 00:00:00", "0001-01-01 00:00:00", "9999-12-31 23:59:59.499999", "2026-00-17 09:15:02.5"),
        *("0000-05-05 01:00:00", "2024-02-29 23:59:59"),
    ),
    lambda r: f"{odd_day(r)} {_clock(r)}",
)
TIMESTAMPS = (("0000-00-00 00:00:00", "1970-01-01 00:00:01", "2038-01-19 03:14:07"), instant)
FLOATS = (("0", "-0e0", "3.4028234e38", "-3.4028234e38", "1.1754944e-38", "16777217", "0.1"), floating)
DOUBLES = (
    (
        "0",
        "-0e0",
        "1.7976931348623157e308",
        "-1.7976931348623157e308",
        "2.2250738585072014e-308",
        "0.1",
        "1e15",
        "1e-5",
    ),
    floating,
)
YEARS = (("0000", "1901", "2155"), lambda r: str(r.randint(1901, 2155)))
INET4 = (("0.0.0.0", "255.255.255.255"), lambda r: str(ipaddress.IPv4Address(r.getrandbits(32))))
INET6 = (("::", "::ffff:1.2.3.4"), lambda r: str(ipaddress.IPv6Address(r.getrandbits(128))))
UUIDS = (("00000000-0000-0000-0000-000000000000",), lambda r: str(uuid.UUID(int=r.getrandbits(128))))
JSONS = ((' {"b" : 1.10, "b":1E5} ', "12345678901234567890.50", "null"), document)
VECTORS = (
    (struct.pack("<fff", 0.1, -1e-30, 1.5),),
    lambda r: struct.pack("<fff", *(r.uniform(-9, 9) for _ in range(3))),
)
JSONS_OF_DOUBLES = (JSONS[0], lambda r: document(r).replace("1E+400", "1E+300"))
MEMBERS = ("ok", "not ok", "'q'", "ä;b", "")
ENUMS = (MEMBERS, one_of(*MEMBERS))
SETS = (("", "a,b,ä"), lambda r: ",".join(r.sample(["a", "b", "ä", "c d"], r.randint(0, 4))))


def _pair(r: Random) -> str:
    return f"{r.randint(-180, 180)} {r.uniform(-90, 90)!r}"


def _line(r: Random) -> str:
    return "(" + ",".join(_pair(r) for _ in range(r.randint(2, 4))) + ")"


def _polygon(r: Random) -> str:
    x, y, side = r.randint(-90, 80), r.randint(-80, 70), r.randint(1, 9)
    corners = ((x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y))
    return "((" + ",".join(f"{one} {other}" for one, other in corners) + "))"


def _several(make: Callable[[Random], str]) -> Callable[[Random], str]:
    return lambda r: "(" + ",".join(make(r) for _ in range(r.randint(1, 3))) + ")"


_SHAPES: dict[str, Callable[[Random], str]] = {
    "point": lambda r: f"({_pair(r)})",
    "linestring": _line,
    "polygon": _polygon,
    "multipoint": _several(_pair),
    "multilinestring": _several(_line),
    "multipolygon": _several(_polygon),
}


def _shape(name: str, r: Random) -> str:
    if name == "geometrycollection":
        return f"GEOMETRYCOLLECTION({','.join(_shape(r.choice(list(_SHAPES)), r) for _ in range(r.randint(1, 3)))})"
    return name.upper() + _SHAPES[name](r)


SPATIAL = ("geometry", *_SHAPES, "geometrycollection")


def shapes(name: str) -> tuple[tuple[str, ...], Make]:
    """Values of a spatial type in WKT."""
    if name == "geometry":
        return (), lambda r: _shape(r.choice([*_SHAPES, "geometrycollection"]), r)
    return (), lambda r: _shape(name, r)
