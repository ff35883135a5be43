"""Values of a JSON message as they were written: a number keeps its digits, a document its text."""

from __future__ import annotations

import msgspec

from airflow_legacy_events.core.model.meaning import Form, Wire

_TEXT = msgspec.json.Decoder(str)
_QUOTE, _NULL, _TRUE, _FALSE, _OBJECT, _ARRAY = (ord(one) for one in '"ntf{[')
_FORMS = {_TRUE: Form.BOOLEAN, _FALSE: Form.BOOLEAN, _OBJECT: Form.DOCUMENT, _ARRAY: Form.DOCUMENT}


def wire(raw: msgspec.Raw) -> Wire | None:
    """Return a JSON value; None for null.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError: it is no JSON.
    """
    written = bytes(raw)
    first = written[0]
    if first == _QUOTE:
        return Wire(Form.TEXT, _TEXT.decode(written))
    if first == _NULL:
        return None
    return Wire(_FORMS.get(first, Form.NUMBER), written.decode())


def is_json(text: str) -> bool:
    """Return whether a text is JSON."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
