"""Literals: the values of a column as SQL, many at a time; a value that the column would change is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeAlias

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.core.ports.target import ObjectionError
from airflow_legacy_events.databases.mysql.target.bulk import APART, Bulk, numbers, strings
from airflow_legacy_events.databases.mysql.target.columns import BINARY, SPATIAL, TEXTS, CatalogColumn

Quote: TypeAlias = Callable[[str | bytes], bytes]
"""The driver's function that returns a string literal."""

One: TypeAlias = Callable[[str], bytes]
Many: TypeAlias = Callable[[Sequence[str | None]], list[bytes]]

NULL = b"NULL"
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_FIRST_YEAR = 1901
_SHORT_OCTETS, _MOST_OCTETS = 2**16, 4
_BOOLEANS = {"true": b"1", "false": b"0", "t": b"1", "f": b"0", "1": b"1", "0": b"0"}
_SRS_BYTES = 4
# A number of JSON outside of a text, or a text.
_JSON_PARTS = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*', re.DOTALL)
_EXACT_DIGITS = 15
_HIGHEST, _NEAREST = float.fromhex("0x1.fffffep127"), float.fromhex("0x1.ffffffp127")
_MOST_INTEGER, _LEAST_INTEGER = 2**64, -(2**63)


class _UnfitError(Exception):
    """The column can't hold a value as it is; the text says why, to complete "it …", without the value."""


def literals(column: TargetColumn, of: CatalogColumn, quote: Quote) -> Many:
    """Return the function that turns values of a column into SQL.

    It raises ObjectionError for a value that the column would change, as a SET does with an unknown member, though the
    server's strict mode would let it pass.

    Args:
        column: as the port describes it.
        of: the same in the catalog.
        quote: of the driver.
    """
    one, bulk = _one(column, of, quote), _bulk(column, of)

    def each(values: Sequence[str]) -> list[bytes]:
        found = None if bulk is None else bulk(values)
        if found is not None:
            return found
        try:
            return [one(value) for value in values]
        except _UnfitError as error:
            raise ObjectionError(
                "VALUE", f"column {column.name!r} ({column.type}) can't hold the value exactly: it {error}"
            ) from None

    def many(values: Sequence[str | None]) -> list[bytes]:
        given = [value for value in values if value is not None]
        if len(given) == len(values):
            return each(given) if given else []
        found = iter(each(given) if given else [])
        return [NULL if value is None else next(found) for value in values]

    return many


def _bulk(column: TargetColumn, of: CatalogColumn) -> Bulk | None:
    if of.base in TEXTS and column.kind is not Kind.JSON:
        return _bulk_of_text(of)
    if column.kind is Kind.INTEGER and of.base != "year":
        return numbers(r"[+-]?\d+")
    if of.base == "decimal":
        return numbers(rf"[+-]?\d+(?:\.\d{{0,{of.scale or 0}}})?")
    if column.kind in (Kind.TIME, Kind.TIMESTAMP):
        return strings(unless=rf"\.\d{{{column.scale or 0}}}\d|\+")
    return strings() if of.base in ("date", "uuid") else None


def _bulk_of_text(of: CatalogColumn) -> Bulk:
    length = of.length or 0
    if of.base == "varchar":
        return strings(longest=length)
    if of.base == "char":
        return strings(longest=length, unless=rf" (?:{APART}|\Z)")
    return strings(longest=length // _MOST_OCTETS)


def refuse_null(column: TargetColumn, of: CatalogColumn) -> bool:
    """Return whether the server would write something else where a statement says NULL."""
    return not column.nullable and (of.is_numbered or of.base == "timestamp")


def _one(column: TargetColumn, of: CatalogColumn, quote: Quote) -> One:
    if of.base in _OWN:
        return _OWN[of.base](of, quote)
    if of.base in TEXTS and column.kind is not Kind.JSON:
        return _text(of, quote)
    if of.base in BINARY or of.base in SPATIAL:
        return _bytes(of, quote)
    if column.kind is Kind.INTEGER:
        return _truth
    if column.kind in (Kind.TIME, Kind.TIMESTAMP, Kind.INSTANT):
        return _timed(column, quote)
    return quote


def _integer(text: str) -> bytes:
    if _INTEGER.fullmatch(text) is None:
        raise _UnfitError("is no integer")
    return text.encode()


def _truth(text: str) -> bytes:
    return _BOOLEANS.get(text) or _integer(text)


def _year(_: CatalogColumn, __: Quote) -> One:
    def one(text: str) -> bytes:
        found = _integer(text)
        if 0 < int(text) < _FIRST_YEAR:  # two digits would be years of this century or the last
            raise _UnfitError(f"is below {_FIRST_YEAR}")
        return found

    return one


def _decimal(of: CatalogColumn, _: Quote) -> One:
    exact = re.compile(rf"[+-]?\d+(?:\.\d{{0,{of.scale or 0}}}0*)?", re.ASCII).fullmatch

    def one(text: str) -> bytes:
        if exact(text) is None:
            raise _UnfitError(f"is no number with at most {of.scale} digits behind the point")
        return text.encode()

    return one


def _floating(of: CatalogColumn, quote: Quote) -> One:
    scale, single = None if of.scale is None else int(of.scale), of.base == "float"

    def one(text: str) -> bytes:
        if _NUMBER.fullmatch(text) is None:
            raise _UnfitError("is no finite number")
        if scale is not None and -int(Decimal(text).normalize().as_tuple().exponent) > scale:
            raise _UnfitError(f"has more than {scale} digits behind the point")
        if single and _HIGHEST < abs(float(text)) < _NEAREST:  # the server would call it out of range
            text = repr(_HIGHEST if float(text) > 0 else -_HIGHEST)
        return quote(text)  # a decimal literal has 65 digits at most

    return one


def _text(of: CatalogColumn, quote: Quote) -> One:
    length = of.length or 0
    if of.base == "char":
        return _padded(length, quote)
    if of.base == "varchar":
        return _limited(length, quote)
    if length >= _SHORT_OCTETS:
        return quote
    return _small(length, quote) if (of.charset or "").startswith("utf8") else _limited(length, quote)


def _padded(length: int, quote: Quote) -> One:
    def one(text: str) -> bytes:
        if text.endswith(" "):
            raise _UnfitError("ends with a space, which the type drops")
        if len(text) > length:
            raise _UnfitError(f"has more than {length} characters")
        return quote(text)

    return one


def _limited(length: int, quote: Quote) -> One:
    def one(text: str) -> bytes:
        if len(text) > length:  # spaces would be cut in silence
            raise _UnfitError(f"has more than {length} characters")
        return quote(text)

    return one


def _small(octets: int, quote: Quote) -> One:
    def one(text: str) -> bytes:
        if len(text) * 4 > octets and len(text.encode()) > octets:
            raise _UnfitError(f"has more than {octets} bytes")
        return quote(text)

    return one


def _enum(of: CatalogColumn, quote: Quote) -> One:
    known = {one: quote(one) for one in of.members}

    def one(text: str) -> bytes:
        found = known.get(text)
        if found is None:  # digits would be taken for the number of a member
            raise _UnfitError("is none of its members")
        return found

    return one


def _set(of: CatalogColumn, quote: Quote) -> One:
    known = frozenset(of.members)

    def one(text: str) -> bytes:
        if text and not known.issuperset(text.split(",")):
            raise _UnfitError("has a part that is none of its members")
        return quote(text)

    return one


def _bit(of: CatalogColumn, _: Quote) -> One:
    most = int(of.precision or 1)
    digits = re.compile(rf"[01]{{1,{most}}}")

    def one(text: str) -> bytes:
        if digits.fullmatch(text):
            return b"b'%b'" % text.encode()
        if most == 1 and text in _BOOLEANS:
            return _BOOLEANS[text]
        raise _UnfitError(f"is not written as {most} binary digits at most")

    return one


def _timed(column: TargetColumn, quote: Quote) -> One:
    scale = column.scale or 0

    def one(text: str) -> bytes:
        text = text.removesuffix("+00")
        if "." in text and text.partition(".")[2][scale:].strip("0"):
            raise _UnfitError(f"has more than {scale} digits of a second")
        return quote(text)

    return one


def _bytes(of: CatalogColumn, quote: Quote) -> One:
    before = int(of.srs or 0).to_bytes(_SRS_BYTES, "little") if of.base in SPATIAL else b""
    length, whole = of.length, of.base == "binary"

    def one(text: str) -> bytes:
        try:
            found = bytes.fromhex(text.removeprefix("\\x"))
        except ValueError:
            raise _UnfitError("is not written as hex") from None
        if length is not None and len(found) > length:
            raise _UnfitError(f"has more than {length} bytes")
        if whole and len(found) != length:
            raise _UnfitError(f"has {len(found)} bytes, and the type would fill it up to {length}")
        return b"_binary" + quote(before + found)

    return one


def _json(_: CatalogColumn, quote: Quote) -> One:
    def one(text: str) -> bytes:
        if not _keeps_digits(text):
            raise _UnfitError("has a number that the type would round to a double")
        return quote(text)

    return one


def _keeps_digits(text: str) -> bool:
    """Return whether MySQL's binary JSON holds each number of a document exactly."""
    for found in _JSON_PARTS.finditer(text):
        part = found[0]
        if len(part) <= _EXACT_DIGITS or part[0] == '"':
            continue
        if part.lstrip("-").isdecimal() and _LEAST_INTEGER <= int(part) < _MOST_INTEGER:
            continue
        if _NUMBER.fullmatch(part) and Decimal(repr(float(part))) != Decimal(part):
            return False
    return True


_OWN: dict[str, Callable[[CatalogColumn, Quote], One]] = {
    "bit": _bit,
    "decimal": _decimal,
    "double": _floating,
    "enum": _enum,
    "float": _floating,
    "json": _json,
    "set": _set,
    "year": _year,
}
