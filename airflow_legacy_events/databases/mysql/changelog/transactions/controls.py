"""Statements of the log that begin, end or undo transactions."""

from __future__ import annotations

import re
from typing import NamedTuple

BEGIN, COMMIT, ROLLBACK = "begin", "commit", "rollback"
SAVEPOINT, ROLLBACK_TO, RELEASE = "savepoint", "rollback to", "release"
XA_BEGIN, XA_END, XA_COMMIT, XA_ROLLBACK = "xa begin", "xa end", "xa commit", "xa rollback"

_PLAIN = {"BEGIN": BEGIN, "COMMIT": COMMIT, "ROLLBACK": ROLLBACK}
_XA = {"START": XA_BEGIN, "BEGIN": XA_BEGIN, "END": XA_END, "COMMIT": XA_COMMIT, "ROLLBACK": XA_ROLLBACK}
_COMMENTS = r"(?:\s|/\*(?!!).*?\*/)*"
_NAME = r"(?P<{}>`(?:[^`]|``)*`|\"(?:[^\"]|\"\")*\"|[^\s;`\"]+)"
_CONTROL = re.compile(
    _COMMENTS
    + r"(?:(?P<plain>BEGIN|COMMIT|ROLLBACK)(?:\s+WORK)?"
    + r"|SAVEPOINT\s+"
    + _NAME.format("savepoint")
    + r"|ROLLBACK(?:\s+WORK)?\s+TO(?:\s+SAVEPOINT)?\s+"
    + _NAME.format("undone")
    + r"|RELEASE\s+SAVEPOINT\s+"
    + _NAME.format("released")
    + r"|XA\s+(?P<xa>START|BEGIN|END|COMMIT|ROLLBACK)\s+(?P<xid>.*?))"
    + r"[\s;]*",
    re.IGNORECASE | re.DOTALL,
)
_HEX = r"X'([0-9a-f]*)'"
_XID = re.compile(rf"{_HEX}(?:\s*,\s*{_HEX}(?:\s*,\s*(-?[0-9]+))?)?(?:\s+ONE\s+PHASE)?", re.IGNORECASE | re.ASCII)


class Control(NamedTuple):
    """A statement that begins, ends or undoes a transaction.

    Attributes:
        kind: what it does.
        name: of its savepoint, as names of savepoints are compared; or of its XA transaction, see `xa.xa_name`; empty
            for others.
    """

    kind: str
    name: str = ""


def control(statement: str) -> Control | None:
    """Return what a statement does to its transaction, None if it is another kind of statement.

    Raises:
        ValueError: it names an XA transaction in a way that no server logs.
    """
    plain = _PLAIN.get(statement)
    if plain is not None:
        return Control(plain)
    found = _CONTROL.fullmatch(statement)
    if found is None:
        return None
    if found["plain"] is not None:
        return Control(_PLAIN[found["plain"].upper()])
    if found["xa"] is not None:
        return Control(_XA[found["xa"].upper()], _xid(found["xid"]))
    kinds = {SAVEPOINT: found["savepoint"], ROLLBACK_TO: found["undone"], RELEASE: found["released"]}
    return next(Control(kind, _bare(name)) for kind, name in kinds.items() if name is not None)


def _bare(name: str) -> str:
    """Return the name of a savepoint without its quotes, as the server compares it."""
    quote = name[0]
    bare = name[1:-1].replace(quote * 2, quote) if quote in '`"' and len(name) > 1 else name
    return bare.casefold()


def _xid(text: str) -> str:
    found = _XID.fullmatch(text)
    if found is None:
        raise ValueError("a statement names an XA transaction in a way that is not known")
    return f"X'{found[1].lower()}',X'{(found[2] or '').lower()}',{int(found[3] or 1)}"
