r"""PostgreSQL array literals converted to JSON arrays.

`{1,NULL,3}`, `{"a \"b\"",c}`, `{{1,2},{3,4}}`, `[2:3]={5,6}`, `{(1,1),(0,0);(2,2),(1,1)}`: braces are dimensions,
unquoted `NULL` is NULL, and a backslash escapes the next character. Lower bounds are dropped, since JSON has none.

https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from airflow_legacy_events.envelopes.column_codec import Codec, Forms, InvalidValueError, same_forms

_BOUNDS = re.compile(r"(?:\[[+-]?[0-9]+:[+-]?[0-9]+\])+=")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_BRACES = {"{": "[", "}": "]"}
_NULL = "null"
_ELEMENTS = ("quoted", "bare")
_check_json = msgspec.json.Decoder(msgspec.Raw).decode


def array_codec(element: Codec, delimiter: str) -> Codec:
    """Return the codec of arrays, given the codec of their elements.

    Args:
        element: codec of one element.
        delimiter: between two elements.
    """
    reader = _Reader(element, delimiter)
    return Codec(reader.block, reader.one, plain=False)


class _Reader:
    def __init__(self, element: Codec, delimiter: str) -> None:
        self._element = element
        between = re.escape(delimiter)
        self._token = re.compile(
            rf'(?P<brace>[{{}}])|(?P<between>{between})|"(?P<quoted>(?:[^"\\]|\\.)*+)"|(?P<bare>[^{{}}"\\{between}]++)',
            re.DOTALL,
        )

    def block(self, values: Sequence[Any]) -> Forms | None:
        return same_forms([self.one(value)[0] for value in values])

    def one(self, value: Any) -> tuple[str, str]:
        if not isinstance(value, str):
            raise InvalidValueError
        start = value.find("{")
        if start < 0 or (start and not _BOUNDS.fullmatch(value, 0, start)):
            raise InvalidValueError
        at, parts, element = start, [], False
        while at < len(value):
            found = self._token.match(value, at)
            if found is None:
                raise InvalidValueError
            if element and found.lastgroup in _ELEMENTS:
                raise InvalidValueError  # two adjacent elements would merge into one number
            element = found.lastgroup in _ELEMENTS
            parts.append(self._part(str(found.lastgroup), found[found.lastgroup or 0]))
            at = found.end()
        text = "".join(parts)
        _check_json(text)  # valid JSON if and only if braces, delimiters and elements are in valid places
        return text, text

    def _part(self, what: str, text: str) -> str:
        if what == "brace":
            return _BRACES[text]
        if what == "between":
            return ","
        if what == "bare" and text == "NULL":
            return _NULL
        _, form = self._element.one(_ESCAPED.sub(r"\1", text) if what == "quoted" else text)
        return f'"{form}"' if self._element.wrapped else form
