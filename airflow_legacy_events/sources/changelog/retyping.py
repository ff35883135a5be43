"""Changed types of columns: whether the values of rows that were there may have changed with them."""

from __future__ import annotations

import re

_TYPE = re.compile(r"(?P<bare>[^(]*)(?:\((?P<sizes>[^)]*)\))?(?P<rest>.*)", re.DOTALL)
_VARYING = re.compile(r"\b(varchar|character varying|varbinary|varbit|bit varying)\b")
_LABELED = re.compile(r"(enum|set)\((.*)\)", re.DOTALL)
_LABEL = re.compile(r"'(?:[^']|'')*'")
_INTEGER = re.compile(r"(tinyint|smallint|mediumint|int|integer|bigint)(?:\([0-9]+\))?( unsigned)?( zerofill)?")
_RANKS = {"tinyint": 1, "smallint": 2, "mediumint": 3, "int": 4, "integer": 4, "bigint": 8}
_PADDED = frozenset({"bit", "binary"})
_TEXT = "text"


def rewritten(before: str, after: str) -> bool:
    """Return whether a change of type may have changed values; a longer text or a wider number keeps them."""
    old, new = _TYPE.fullmatch(before.lower()), _TYPE.fullmatch(after.lower())
    if before == after or old is None or new is None:
        return before != after
    if (keeps := _keeps_labels(before, after)) is not None or (keeps := _keeps_integers(before, after)) is not None:
        return not keeps
    varying = bool(_VARYING.search(old["bare"]))
    if varying and new["bare"].strip() == _TEXT:
        return False
    if (old["bare"].strip(), old["rest"]) != (new["bare"].strip(), new["rest"]) or old["bare"] in _PADDED:
        return True
    if new["sizes"] is None:
        return not varying
    sizes = [[*map(int, one["sizes"].split(","))] if one["sizes"] else [] for one in (old, new)]
    return not sizes[0] or sizes[1][0] < sizes[0][0] or sizes[0][1:] != sizes[1][1:]


def _keeps_labels(before: str, after: str) -> bool | None:
    """Return whether all labels of an ENUM or SET are kept; None for other types."""
    old, new = _LABELED.fullmatch(before), _LABELED.fullmatch(after)
    if old is None or new is None or old[1] != new[1]:
        return None
    return {*_LABEL.findall(old[2])} <= {*_LABEL.findall(new[2])}


def _keeps_integers(before: str, after: str) -> bool | None:
    """Return whether an integer type has all numbers of another one; None for other types."""
    old, new = _INTEGER.fullmatch(before.lower()), _INTEGER.fullmatch(after.lower())
    if old is None or new is None:
        return None
    wider = _RANKS[new[1]] - _RANKS[old[1]]
    if bool(old[2]) == bool(new[2]):
        return wider >= 0
    return bool(old[2]) and wider > 0
