"""ALTER TABLE in the log: which columns it renames, drops or adds, and what it does to rows without logging them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from airflow_legacy_events.databases.mysql.changelog.words import Words, inside, parts
from airflow_legacy_events.databases.mysql.tokens import Name, Token

_OF_KEYS = frozenset(
    {"INDEX", "KEY", "FULLTEXT", "SPATIAL", "VECTOR", "CONSTRAINT", "FOREIGN", "CHECK", "PRIMARY", "PERIOD", "UNIQUE"}
)
_EMPTY_PARTITIONS = frozenset({"DROP", "TRUNCATE", "EXCHANGE", "CONVERT"})
_UNICODE = frozenset({"utf8", "utf8mb3", "utf8mb4", "utf16", "utf16le", "utf32", "gb18030"})
DROPPED_PARTITIONS = "partitions of it were dropped"
_FILLING = frozenset({"DEFAULT", "AS", "GENERATED", "AUTO_INCREMENT", "SERIAL", "NOT"})


@dataclass
class Altered:
    """What an ALTER TABLE does.

    Attributes:
        names: new names of columns by old ones, in lower case.
        dropped: names of dropped columns, in lower case.
        reshapes: whether it changes columns in another way as well.
        keys: whether it changes keys or checks; MariaDB has a hidden column for a long unique key, a check for JSON.
        came: added columns that hold a value in rows that were there.
        emptied: how it emptied partitions, in words; None if it did not.
        exchanged: tables whose rows became those of a partition, or the other way round.
        moved: new name of the table.
        rewritten: what it did to rows that were there, in words.
        replaced: whether those rows are others now.
    """

    names: dict[str, str] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    reshapes: bool = False
    keys: bool = False
    came: list[str] = field(default_factory=list)
    emptied: str | None = None
    exchanged: list[Name] = field(default_factory=list)
    moved: Name | None = None
    rewritten: str | None = None
    replaced: bool = False


def altered(tokens: Iterable[Token]) -> Altered:
    """Return what an ALTER TABLE does, from the tokens behind the table's name."""
    found = Altered()
    for part in parts(tokens):
        if part.take("WAIT"):
            part.next()
        part.skip("NOWAIT")
        first = part.next().keyword
        reader = _CLAUSES.get(first)
        if reader is not None:
            reader(part, found)
    return found


def _add(part: Words, found: Altered) -> None:
    if part.keyword in (*_OF_KEYS, "PARTITION", "SYSTEM"):
        found.keys = found.keys or part.keyword in ("UNIQUE", "CONSTRAINT", "CHECK")
        found.reshapes = found.reshapes or part.keyword in ("SYSTEM", "PERIOD")
        return
    part.take("COLUMN")
    part.take("IF", "NOT", "EXISTS")
    found.reshapes = True
    if part.ahead() == Token("sign", "("):
        for one in parts(inside(part.rest())):
            if one.keyword not in _OF_KEYS:
                _came(one, found)
    else:
        _came(part, found)


def _came(definition: Words, found: Altered) -> None:
    name = definition.next().text
    rest = list(definition.rest())
    for at, token in enumerate(rest):
        follows = Words(rest[at + 1 :])
        if token.keyword in _FILLING and not (token.keyword == "DEFAULT" and follows.keyword == "NULL"):
            found.came.append(name)
            return


def _change(part: Words, found: Altered) -> None:
    part.take("COLUMN")
    part.take("IF", "EXISTS")
    old, new = part.next().text, part.next().text
    if old.casefold() != new.casefold():
        found.names[old.casefold()] = new
    _redefine(part, found, new)


def _modify(part: Words, found: Altered) -> None:
    part.take("COLUMN")
    part.take("IF", "EXISTS")
    _redefine(part, found, part.next().text)


def _redefine(definition: Words, found: Altered, name: str) -> None:
    found.reshapes = True
    keywords = [one.keyword for one in definition.rest()]
    if "AS" in keywords or "GENERATED" in keywords:
        found.rewritten = f"generated column {name!r} was defined again"


def _drop(part: Words, found: Altered) -> None:
    if part.keyword == "PARTITION":
        found.emptied = DROPPED_PARTITIONS
    elif part.keyword in ("SYSTEM", "PERIOD"):
        found.reshapes = True
    elif part.keyword in ("CONSTRAINT", "CHECK", "INDEX", "KEY"):
        found.keys = True
    elif part.keyword not in _OF_KEYS:
        part.take("COLUMN")
        part.take("IF", "EXISTS")
        found.dropped.append(part.next().text.casefold())


def _rename(part: Words, found: Altered) -> None:
    if part.take("COLUMN"):
        part.take("IF", "EXISTS")
        old = part.next().text
        part.take("TO")
        found.names[old.casefold()] = part.next().text
    elif part.keyword not in ("INDEX", "KEY"):
        part.skip("TO", "AS")
        part.sign("=")
        found.moved = part.name()


def _truncate(part: Words, found: Altered) -> None:
    if part.take("PARTITION"):
        found.emptied = "partitions of it were truncated"


def _exchange(part: Words, found: Altered) -> None:
    if part.take("PARTITION"):
        part.until("TABLE")
        part.next()
        found.emptied = "a partition of it was exchanged with a table"
        if (other := part.name()) is not None:
            found.exchanged.append(other)


def _convert(part: Words, found: Altered) -> None:
    if part.take("TO"):
        found.reshapes = True
        part.skip("CHARACTER", "CHAR", "SET", "CHARSET")
        if (to := part.next().text.lower()) not in _UNICODE:
            found.rewritten = f"its texts were converted to {to}"
    elif part.keyword in ("PARTITION", "TABLE"):
        into = part.keyword == "PARTITION"
        found.emptied = "a partition of it became a table" if into else "a table became a partition of it"
        part.next()
        if into:
            part.until("TABLE")
            part.next()
        if (other := part.name()) is not None:
            found.exchanged.append(other)


def _import(part: Words, found: Altered) -> None:
    if part.keyword in ("TABLESPACE", "PARTITION"):
        found.rewritten, found.replaced = "its tablespace was exchanged", True


def _reshape(part: Words, found: Altered) -> None:  # noqa: ARG001
    found.reshapes = True


_CLAUSES = {
    "ADD": _add,
    "CHANGE": _change,
    "MODIFY": _modify,
    "DROP": _drop,
    "RENAME": _rename,
    "TRUNCATE": _truncate,
    "EXCHANGE": _exchange,
    "CONVERT": _convert,
    "DISCARD": _import,
    "IMPORT": _import,
}
