"""Values of PostgreSQL's types as SQL input text: the extremes of each, then random ones."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import uuid
from collections.abc import Callable
from random import Random

Make = Callable[[Random], str]

_ALPHABET = "ab Z09_,;{}[]()\"'\\\n\t\x01\x7f/%:$ äß€\u2028\U0001f600"
_DAYS = (dt.date(1, 1, 1).toordinal(), dt.date(9999, 12, 31).toordinal())


def text(r: Random, longest: int = 12) -> str:
    return "".join(r.choices(_ALPHABET, k=r.randint(0, longest)))


def word(r: Random) -> str:
    return "".join(r.choices("abcxyz", k=r.randint(1, 6)))


def day(r: Random) -> str:
    return dt.date.fromordinal(r.randint(*_DAYS)).isoformat()


def clock(r: Random) -> str:
    whole = f"{r.randint(0, 23):02}:{r.randint(0, 59):02}:{r.randint(0, 59):02}"
    return whole + r.choice(["", f".{r.randint(1, 9)}", f".{r.randint(0, 999_999):06}"])


def digits(r: Random, most: int) -> str:
    return "".join(r.choices("0123456789", k=r.randint(1, most)))


def numeric(r: Random) -> str:
    return r.choice(["", "-"]) + digits(r, r.choice([3, 40, 400])) + r.choice(["", "." + digits(r, r.choice([2, 60]))])


def floating(r: Random) -> str:
    return repr(r.choice([r.uniform(-1e6, 1e6), r.uniform(-1, 1) * 10.0 ** r.randint(-30, 30)]))


def document(r: Random, depth: int = 3) -> str:
    if depth == 0 or r.random() < 0.5:
        string = json.dumps(text(r), ensure_ascii=r.random() < 0.5)
        return r.choice(["null", "true", "false", string, digits(r, 30).lstrip("0") or "0", "-1.10", "1E+400", "0.00"])
    parts = [document(r, depth - 1) for _ in range(r.randint(0, 3))]
    if r.random() < 0.5:
        return "[" + r.choice([",", " , "]).join(parts) + "]"
    return "{" + ",".join(f"{json.dumps(text(r, 4))}: {part}" for part in parts) + "}"


def point(r: Random) -> str:
    return f"({r.randint(-99, 99)},{r.uniform(-9, 9)!r})"


def points(most: int, form: str, least: int = 1) -> Make:
    return lambda r: form.format(",".join(point(r) for _ in range(r.randint(least, most))))


def bits(r: Random) -> str:
    return "".join(r.choices("01", k=r.randint(0, 70)))


def snapshot(r: Random) -> str:
    low = r.randint(1, 2**40)
    return f"{low}:{low + 9}:" + ",".join(str(low + at) for at in sorted(r.sample(range(9), r.randint(0, 4))))


def interval(r: Random) -> str:
    return f"{r.randint(-99, 99)} mons {r.randint(-999, 999)} days {r.choice(['', '-'])}{clock(r)}"


def hstore(r: Random) -> str:
    def part() -> str:
        return '"' + text(r).replace("\\", "\\\\").replace('"', '\\"') + '"'

    return ",".join(f"{part()}=>{r.choice(['NULL', part()])}" for _ in range(r.randint(0, 3)))


def whole(low: int, high: int) -> Make:
    return lambda r: str(r.choice([r.randint(low, high), r.randint(max(low, -9), 9)]))


def one_of(*values: str) -> Make:
    return lambda r: r.choice(values)


def _xml(r: Random) -> str:
    return f"<{word(r)} a='{r.randint(0, 9)}'/>{r.choice(['', 'text ä &amp; &lt;'])}"


_U32, _U64 = whole(0, 2**32 - 1), whole(0, 2**64 - 1)

MAKERS: dict[str, tuple[tuple[str, ...], Make]] = {
    "int2": (("-32768", "32767"), whole(-(2**15), 2**15 - 1)),
    "int4": (("-2147483648", "2147483647"), whole(-(2**31), 2**31 - 1)),
    "int8": (("-9223372036854775808", "9223372036854775807", "9007199254740993"), whole(-(2**63), 2**63 - 1)),
    "oid": (("0", "4294967295"), _U32),
    "xid": (("0", "4294967295"), _U32),
    "cid": (("0", "4294967295"), _U32),
    "xid8": (("0", "18446744073709551615"), _U64),
    "numeric": (("NaN", "Infinity", "-Infinity", "0.00", "-" + "9" * 999 + "." + "9" * 300, "1e-300"), numeric),
    "money": (("-92233720368547758.08", "92233720368547758.07", "-0.01"), lambda r: f"{r.randint(-(10**9), 10**9)}.17"),
    "float4": (("NaN", "Infinity", "-Infinity", "-0", "3.4028235e+38", "1e-45"), floating),
    "float8": (("NaN", "Infinity", "-Infinity", "1.7976931348623157e+308", "5e-324"), floating),
    "bool": (("t", "f"), one_of("t", "f")),
    "text": (("", "NULL", "null", "{}", "\\", '"'), text),
    "varchar": (("", "NULL"), text),
    "bpchar": (("", "a  "), text),
    "name": (("", "x" * 63), lambda r: text(r, 8)),
    "char": (("", "a", '"'), one_of(*'abc {}"\\,')),
    "bytea": (("\\x", "\\x00ff"), lambda r: "\\x" + r.randbytes(r.randint(0, 20)).hex()),
    "date": (("infinity", "-infinity", "0001-01-01", "9999-12-31", "4714-11-24 BC", "5874897-12-31"), day),
    "time": (("00:00:00", "24:00:00", "23:59:59.999999"), clock),
    "timetz": (
        ("00:00:00+15:59:59", "24:00:00-15:59"),
        lambda r: f"{clock(r)}{r.choice(['+', '-'])}{r.randint(0, 14)}",
    ),
    "timestamp": (
        ("infinity", "-infinity", "0001-01-01", "9999-12-31 23:59:59.999999", "4714-11-24 BC", "294276-12-31 23:59:59"),
        lambda r: f"{day(r)} {clock(r)}",
    ),
    "timestamptz": (
        ("infinity", "-infinity", "0001-01-01 00:00+00", "9999-12-31 23:59:59.999999+00", "0044-03-15 12:00+00 BC"),
        lambda r: f"{day(r)} {clock(r)}+00",
    ),
    "interval": (("0", "178000000 years", "-1 mons +2 days -00:00:00.000001"), interval),
    "uuid": (("00000000-0000-0000-0000-000000000000",), lambda r: str(uuid.UUID(int=r.getrandbits(128)))),
    "json": ((' {"b" : 1.10, "b":1E5} ', "12345678901234567890.50"), document),
    "jsonb": (("null", "1e400", "12345678901234567890.50"), document),
    "jsonpath": (("$",), one_of("$.a[*] ? (@ > 1.50)", 'strict $."ä"', "lax $[0 to last]")),
    "xml": (("", "<a/>"), _xml),
    "bit": (("0", "1"), one_of("0", "1")),
    "varbit": (("",), bits),
    "inet": (("0.0.0.0", "::", "::1/64"), lambda r: f"{ipaddress.IPv4Address(r.getrandbits(32))}/{r.randint(0, 32)}"),
    "cidr": (("0.0.0.0/0", "::/0"), lambda r: f"10.{r.randint(0, 255)}.0.0/16"),
    "macaddr": (("ff:ff:ff:ff:ff:ff",), lambda r: r.randbytes(6).hex()),
    "macaddr8": (("00:00:00:00:00:00:00:00",), lambda r: r.randbytes(8).hex()),
    "point": (("(NaN,Infinity)", "(1e+300,-0)"), point),
    "line": ((), lambda r: f"{{{r.randint(1, 9)},{r.randint(-9, 9)},{r.uniform(-9, 9)!r}}}"),
    "lseg": ((), points(2, "[{}]", 2)),
    "path": ((), lambda r: points(4, r.choice(["[{}]", "({})"]))(r)),
    "box": ((), points(2, "{}", 2)),
    "polygon": ((), points(4, "({})")),
    "circle": ((), lambda r: f"<{point(r)},{r.randint(0, 9)}>"),
    "tsvector": (("",), lambda r: " ".join(f"{word(r)}:{r.randint(1, 99)}A" for _ in range(r.randint(0, 4)))),
    "tsquery": (("",), lambda r: f"{word(r)} & !{word(r)}:*B | {word(r)} <2> {word(r)}"),
    "tid": (("(0,1)", "(4294967295,65535)"), lambda r: f"({r.getrandbits(32)},{r.getrandbits(16)})"),
    "pg_lsn": (("0/0", "FFFFFFFF/FFFFFFFF"), lambda r: f"{r.getrandbits(32):X}/{r.getrandbits(32):X}"),
    "txid_snapshot": ((), snapshot),
    "pg_snapshot": ((), snapshot),
    "int2vector": (("",), lambda r: " ".join(str(r.randint(-9, 9)) for _ in range(r.randint(0, 4)))),
    "oidvector": (("",), lambda r: " ".join(str(r.getrandbits(32)) for _ in range(r.randint(0, 4)))),
    "refcursor": ((), text),
    "aclitem": ((), lambda r: f"={r.choice(['r', 'w', 'arwdDxt'])}/{r.choice(['postgres', 'postgres'])}"),
    "regclass": (("-", "4000000000"), one_of("pg_class", "pg_type", "information_schema.tables")),
    "regproc": (("-", "4000000000"), one_of("now", "array_in")),
    "regprocedure": (("-",), one_of("now()", "array_to_string(anyarray,text)")),
    "regoper": (("0",), one_of("||/", "|/")),
    "regoperator": (("0",), one_of("+(integer,integer)", "||(text,text)")),
    "regtype": (("-", "4000000000"), one_of("integer", "timestamp with time zone", "text[]")),
    "regrole": (("-", "4000000000"), one_of("postgres", "pg_monitor")),
    "regnamespace": (("-",), one_of("pg_catalog", "public")),
    "regconfig": (("-",), one_of("english", "simple")),
    "regdictionary": (("-",), one_of("simple", "english_stem")),
    "regcollation": (("-",), one_of('"C"', '"POSIX"')),
    "hstore": (("",), hstore),
    "citext": (("", "Aa"), text),
    "ltree": (("",), lambda r: ".".join(word(r) for _ in range(r.randint(1, 4)))),
    "lquery": ((), lambda r: f"{word(r)}.*{{1,2}}.!{word(r)}@"),
    "ltxtquery": ((), lambda r: f"{word(r)} & !{word(r)}*"),
    "cube": ((), lambda r: f"({r.randint(-9, 9)}, {r.uniform(-9, 9)!r})"),
    "seg": ((), lambda r: f"{r.randint(1, 9)}.50 .. {r.randint(10, 99)}"),
    "price": (("-9999999999.99",), lambda r: f"{r.randint(-(10**9), 10**9)}.5"),
    "cardinal_number": ((), whole(0, 99)),
    "yes_or_no": ((), one_of("YES", "NO")),
    "time_stamp": ((), lambda r: f"{day(r)} {clock(r)}+00"),
}
"""By name of the type: texts that every table holds, then what makes another."""


def quoted(value: str) -> str:
    """One element or field inside an array, a composite or a range."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def array_of(make: Make, delimiter: str) -> Make:
    """Arrays of one to three dimensions, at times with bounds of their own."""

    def nested(r: Random, lengths: list[int]) -> str:
        if not lengths:
            return "NULL" if r.random() < 0.2 else quoted(make(r))
        return "{" + delimiter.join(nested(r, lengths[1:]) for _ in range(lengths[0])) + "}"

    def made(r: Random) -> str:
        if r.random() < 0.1:
            return "{}"
        lengths = [r.randint(1, 3) for _ in range(r.choice([1, 1, 2, 3]))]
        low = r.randint(-2, 3)
        bounds = "".join(f"[{low}:{low + length - 1}]" for length in lengths) + "="
        return r.choice(["", bounds]) + nested(r, lengths)

    return made


def composite_of(makes: list[Make | None]) -> Make:
    """Rows; a field without a maker is NULL."""
    return lambda r: "(" + ",".join("" if make is None or r.random() < 0.2 else quoted(make(r)) for make in makes) + ")"


def range_of(name: str) -> Make:
    """Ranges of the built-in subtypes."""

    def value(at: int) -> str:
        if "ts" in name or "date" in name:
            return f"2026-01-{at:02}" + (" 09:15:02.5+00" if "tstz" in name else " 09:15:02" if "ts" in name else "")
        return f"{at}.50" if "num" in name else str(at)

    def one(r: Random, low: int) -> str:
        return f"{r.choice('[(')}{quoted(value(low))},{quoted(value(low + r.randint(1, 3)))}{r.choice('])')}"

    def made(r: Random) -> str:
        if "multi" in name:
            return "{" + ",".join(one(r, 1 + 6 * at) for at in range(r.randint(0, 3))) + "}"
        return r.choice(["empty", "(,)", f"[{quoted(value(3))},)", one(r, r.randint(1, 20))])

    return made
