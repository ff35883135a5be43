"""What PostgreSQL itself says of a value, turned into the JSON that a message must hold. Knows nothing of our code."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.support.json_oracle import Number, parsed

SESSION = (
    "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex';"
    " SET extra_float_digits = 1; SET xmloption = 'content'"
)
_WRITABLE = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00)?")


class Type(NamedTuple):
    """A type, domains taken away.

    Attributes:
        sql: as SQL writes it.
        name: of the base type; empty where its text is all that counts.
        element: of an array.
    """

    sql: str
    name: str
    element: Type | None = None


def expected(connection: Any, type_: Type, text: str | None) -> Any:
    """What a message must hold for a value that the server writes as `text`."""
    if text is None:
        return None
    if type_.element is not None:
        return _array(connection, type_, text)
    if type_.name == "money":
        return connection.execute("SELECT %s::text::money::numeric::text", (text,)).fetchone()[0]
    return _SINGLE.get(type_.name, str)(text)


def _float(text: str) -> Any:
    return text if text in ("NaN", "Infinity", "-Infinity") else Number(text)


def _moment(text: str) -> str:
    found = _WRITABLE.fullmatch(text)
    return f"{found[1]}T{found[2]}.{found[3] or '':0<6}Z" if found else text


_SINGLE: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("int2", "int4", "int8", "oid", "xid", "xid8", "cid"), Number),
    **dict.fromkeys(("float4", "float8"), _float),
    **dict.fromkeys(("json", "jsonb"), parsed),
    **dict.fromkeys(("timestamp", "timestamptz"), _moment),
    "bool": {"t": True, "f": False}.__getitem__,
    "bytea": lambda text: base64.b64encode(bytes.fromhex(text[2:])).decode(),
}


def _array(connection: Any, type_: Type, text: str) -> Any:
    """The elements in order and the lengths of the dimensions are the server's word."""
    element = type_.element
    assert element is not None
    flat = connection.execute(
        "SELECT CASE WHEN u.v IS NOT NULL OR num_nulls(u.v) = 0 THEN format('%%s', u.v) END"
        f" FROM (SELECT unnest(%s::text::{type_.sql}) AS v) u",
        (text,),
    ).fetchall()
    lengths = connection.execute(
        f"SELECT array_length(a, n) FROM (SELECT %s::text::{type_.sql} AS a) s, generate_series(1, array_ndims(a)) n",
        (text,),
    ).fetchall()
    values = iter([expected(connection, element, one) for (one,) in flat])
    return _nested(values, [length for (length,) in lengths]) if lengths else []


def _nested(values: Any, lengths: list[int]) -> Any:
    if not lengths:
        return next(values)
    return [_nested(values, lengths[1:]) for _ in range(lengths[0])]
