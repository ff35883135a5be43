"""Readings of a SQL text: where quotes, comments and names end differs from database to database."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

_NAME = r"A-Za-z_\x80-\U0010ffff"
_BLANK = r"[ \t\n\r\f\v]+"
_NUMBER = r"0[xX][0-9a-fA-F_]+ | 0[oO][0-7_]+ | 0[bB][01_]+ | \d[\d_]*"
_DOLLAR = rf"\$ (?P<tag>(?:[{_NAME}][{_NAME}\d]*)?) \$ .*? (?: \$(?P=tag)\$ | \Z )"
_OWN_QUOTES = r"""[nN]?[qQ]' (?: \[.*?(?: \]' | \Z ) | \{.*?(?: \}' | \Z ) | \(.*?(?: \)' | \Z ) | <.*?(?: >' | \Z )
    | (?P<edge>[^\[{(<\s]).*?(?: (?P=edge)' | \Z ) )"""
_BACKSLASHED = r"'(?: \\. | [^'\\] | '' )*(?: ' | \Z )"
# A text goes on behind a line break, and is then read as its beginning is.
_GOES_ON = rf"(?: (?: [ \t\f\v] | --[^\n\r]* )* [\n\r] (?: {_BLANK} | --[^\n\r]*[\n\r] )* {_BACKSLASHED} )*"
_BRACKETS = {"plain": r"\[[^\]]*(?: \] | \Z )", "doubled": r"\[(?: [^\]] | \]\] )*(?: \] | \Z )"}
_BLOCK_EDGE = re.compile(r"/\*|\*/")
_EXECUTED = re.compile(r"/\*M?!(?:\d{5,6})?")


class Token(NamedTuple):
    """A piece of a text.

    Attributes:
        kind: `blank` (comments too), `mark` (an edge of a comment whose inside is SQL), `quoted`, `word` or `sign`.
        text: as it stands there.
        start: its place.
        end: the place behind it.
        ended: False for quotes and comments that nothing ends.
    """

    kind: str
    text: str
    start: int
    end: int
    ended: bool


@dataclass(frozen=True)
class Reading:
    """One way to read a text; the defaults are those of standard SQL.

    Attributes:
        backslash: the quotes in which a backslash makes the next sign a part of the text.
        brackets: where `[x]` is a name: `plain`, or `doubled`, so that `]]` stands for `]`.
        backticks: whether they quote a name.
        own_quotes: whether `q'[x]'` is a text.
        dollars: whether `$$x$$` and `$tag$x$tag$` are texts.
        escapes: whether a backslash counts in `E'x'`.
        apart: whether a number ends before a letter or `$` that can't be part of it.
        hashes: whether `#` begins a comment.
        loose: whether `--` begins a comment though no blank follows.
        returns: whether a carriage return ends such a comment.
        nests: comments in a comment: `no`, `all`, or `once`, and only in `/*!`.
        executes: whether the inside of `/*! x */` and `/*M! x */` is SQL.
    """

    backslash: str = ""
    brackets: str = ""
    backticks: bool = False
    own_quotes: bool = False
    dollars: bool = False
    escapes: bool = False
    apart: bool = False
    hashes: bool = False
    loose: bool = True
    returns: bool = False
    nests: str = "no"
    executes: bool = False

    def tokens(self, sql: str) -> Iterator[Token]:
        """Yield the tokens of a text, which together are the text."""
        pattern, text, at, inside = _pattern(self), f"{sql}\n", 0, False
        while at < len(sql):
            found = pattern.match(text, at)
            if found is None:  # no text is unreadable, a "." takes what nothing else does
                return
            kind, end = str(found.lastgroup), found.end()
            executed = _EXECUTED.match(sql, at) if kind == "block" and self.executes else None
            if executed is not None:
                kind, end, inside = "mark", executed.end(), True
            elif kind == "block":
                kind, end = "blank", self._block_end(sql, at)
            elif kind == "sign" and inside and sql.startswith("*/", at):
                kind, end, inside = "mark", at + 2, False
            # Only what nothing ends takes the line break behind the text; a blank may.
            yield Token(kind, sql[at:end], at, min(end, len(sql)), end <= len(sql) or sql[at:].isspace())
            at = end

    def _block_end(self, sql: str, start: int) -> int:
        """Return where a comment ends; behind the text where nothing ends it."""
        once = 2 if self.nests == "once" and _EXECUTED.match(sql, start) else 1
        most, depth = len(sql) if self.nests == "all" else once, 0
        for edge in _BLOCK_EDGE.finditer(sql, start):
            if edge[0] == "*/":
                depth -= 1
            elif depth < most:
                depth += 1
            if depth == 0:
                return edge.end()
        return len(sql) + 1


@functools.lru_cache(maxsize=256)
def _pattern(reading: Reading) -> re.Pattern[str]:
    line = r"[^\n\r]*" if reading.returns else r"[^\n]*"
    blanks = [_BLANK, rf"-- {line}" if reading.loose else rf"--(?= [\x00-\x20\x7f] ) {line}"]
    texts = [_quoted("'", reading), _quoted('"', reading)]
    if reading.hashes:
        blanks.append(rf"\# {line}")
    if reading.backticks:
        texts.append(r"`[^`]*(?: ` | \Z )")
    if reading.brackets:
        texts.append(_BRACKETS[reading.brackets])
    if reading.escapes:
        texts.append(rf"[eE]{_BACKSLASHED}{_GOES_ON}")
    if reading.own_quotes:
        texts.append(_OWN_QUOTES)
    if reading.dollars:
        texts.append(_DOLLAR)
    number = _NUMBER if reading.apart else rf"\d[{_NAME}\d$]*"
    return re.compile(
        rf"""(?P<blank> {" | ".join(blanks)} ) | (?P<block> /\* ) | (?P<quoted> {" | ".join(texts)} )
           | (?P<word> [{_NAME}$][{_NAME}\d$]* | {number} ) | (?P<sign> . )""",
        re.VERBOSE | re.DOTALL,
    )


def _quoted(quote: str, reading: Reading) -> str:
    if quote in reading.backslash:
        return _BACKSLASHED.replace("'", quote)
    return rf"{quote}(?: [^{quote}] | {quote}{quote} )*(?: {quote} | \Z )"
