"""JSON as a plain consumer reads it, with the standard library alone, and nothing rounded on the way."""

from __future__ import annotations

import json
from typing import Any


class Number(str):
    """The digits of a JSON number, as they stand."""

    __slots__ = ()


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def parsed(value: str) -> Any:
    """JSON with digits and repeated names kept."""
    return json.loads(
        value,
        parse_int=Number,
        parse_float=Number,
        parse_constant=refuse,
        object_pairs_hook=lambda pairs: ("{}", pairs),
    )


def members(found: Any) -> dict[str, Any]:
    """The members of an object that `parsed` gave."""
    mark, pairs = found
    assert mark == "{}"
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)
