"""Texts, bytes, booleans, UUIDs and documents."""

from __future__ import annotations

import binascii
import re
import uuid
from collections.abc import Callable

from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.core.model.meaning import Form, Wire
from airflow_legacy_events.envelopes.decoders.values import documents
from airflow_legacy_events.envelopes.decoders.values.unfit import UnfitError

_BITS_FROM = (Form.NUMBER, Form.BOOLEAN)
_LENGTH = re.compile(r"\((\d+)\)", re.ASCII)
_LONGEST = 4_000

_BOOLEANS = {
    **dict.fromkeys(("true", "t", "1", "yes", "y", "on"), "true"),
    **dict.fromkeys(("false", "f", "0", "no", "n", "off"), "false"),
}


def text(column: TargetColumn) -> Callable[[Wire], str]:
    """Return the converter of a text column; numbers and documents keep the text that the message has.

    A number is that of the bits of a column of bits, a text their digits.
    """
    length, read, width = column.length, documents.from_document(column), bits_of(column)

    def convert(found: Wire) -> str:
        if read is not None and found.form is Form.DOCUMENT:
            return read(found.text)
        if width is not None and found.form in _BITS_FROM:
            return _digits(found.text, width)
        if length is not None and len(found.text) > length:
            raise UnfitError(f"it has more than {length} characters")
        return found.text

    return convert


def bits_of(column: TargetColumn) -> int | None:
    """Return the least digits of a column of bits; None for another column."""
    base = documents.base_of(column)
    if base in ("bit varying", "varbit"):
        return 1
    length = _LENGTH.search(column.type)
    return None if base != "bit" else 1 if length is None else int(length[1])


def _digits(written: str, width: int) -> str:
    number = {"true": "1", "false": "0"}.get(written, written)
    if not number.isdecimal() or len(number) > _LONGEST:
        _refuse("it is no number of bits")
    return f"{int(number):0{width}b}"


def boolean(_column: TargetColumn) -> Callable[[Wire], str]:
    """Return the converter of a boolean column."""

    def convert(found: Wire) -> str:
        value = _BOOLEANS.get(found.text.strip().lower())
        if value is None:
            raise UnfitError("it is no boolean")
        return value

    return convert


def identifier(_column: TargetColumn) -> Callable[[Wire], str]:
    """Return the converter of a UUID column."""

    def convert(found: Wire) -> str:
        try:
            return str(uuid.UUID(found.text)) if found.form is Form.TEXT else _refuse("it is no UUID")
        except ValueError:
            raise UnfitError("it is no UUID") from None

    return convert


def data(column: TargetColumn) -> Callable[[Wire], str]:
    r"""Return the converter of a column of bytes, from base64; the text is `\x` and hex."""
    length, read = column.length, documents.from_document(column)

    def convert(found: Wire) -> str:
        if read is not None and found.form is Form.DOCUMENT:
            return read(found.text)
        if found.form is not Form.TEXT:
            _refuse("it is no base64")
        try:
            plain = binascii.a2b_base64(found.text.encode("ascii"), strict_mode=True)
        except (ValueError, UnicodeEncodeError):
            raise UnfitError("it is no base64") from None
        if length is not None and len(plain) > length:
            raise UnfitError(f"it has more than {length} bytes")
        return rf"\x{plain.hex()}"

    return convert


def document(_column: TargetColumn) -> Callable[[Wire], str]:
    """Return the converter of a JSON column: a document as it was written; a text must hold one."""

    def convert(found: Wire) -> str:
        return found.text if found.form is not Form.TEXT else _quoted(found.text)

    return convert


def _quoted(plain: str) -> str:
    import msgspec  # noqa: PLC0415

    return msgspec.json.encode(plain).decode()


def _refuse(reason: str) -> str:
    raise UnfitError(reason)
