"""Tokenizer of SQL texts: where quotes, comments and names end differs between databases."""

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
# A string literal may continue after a line break, with the same rules as its first part.
_GOES_ON = rf"(?: (?: [ \t\f\v] | --[^\n\r]* )* [\n\r] (?: {_BLANK} | --[^\n\r]*[\n\r] )* {_BACKSLASHED} )*"
_BRACKETS = {"plain": r"\[[^\]]*(?: \] | \Z )", "doubled": r"\[(?: [^\]] | \]\] )*(?: \] | \Z )"}
_BLOCK_EDGE = re.compile(r"/\*|\*/")
_EXECUTED = re.compile(r"/\*M?!(?:\d{5,6})?")


class Token(NamedTuple):
    """A piece of a text.

    Attributes:
        kind: `blank` (comments too), `mark` (start or end of an executed comment), `quoted`, `word` or `sign`.
        text: verbatim.
        start: its offset.
        end: the offset after it.
        ended: False for unterminated quotes and comments.
    """

    kind: str
    text: str
    start: int
    end: int
    ended: bool


@dataclass(frozen=True)
class Reading:
    """One way to tokenize a text; the defaults are those of standard SQL.

    Attributes:
        backslash: the quotes in which a backslash escapes the next character.
        brackets: if `[x]` is a name: `plain`, or `doubled`, where `]]` stands for `]`.
        backticks: whether they quote a name.
        own_quotes: whether `q'[x]'` is a string literal.
        dollars: whether `$$x$$` and `$tag$x$tag$` are string literals.
        escapes: whether a backslash is an escape in `E'x'`.
        apart: whether a number ends before a letter or `$` that can't be part of it.
        hashes: whether `#` begins a comment.
        loose: whether `--` begins a comment even if no blank follows.
        returns: whether a carriage return ends such a comment.
        nests: nested comments: `no`, `all`, or `once` and only in `/*!`.
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
        """Yield the tokens of a text; joined they are the text."""
        pattern, text, at, inside = _pattern(self), f"{sql}\n", 0, False
        while at < len(sql):
            found = pattern.match(text, at)
            if found is None:  # never happens: "." matches anything else
                return
            kind, end = str(found.lastgroup), found.end()
            executed = _EXECUTED.match(sql, at) if kind == "block" and self.executes else None
            if executed is not None:
                kind, end, inside = "mark", executed.end(), True
            elif kind == "block":
                kind, end = "blank", self._block_end(sql, at)
            elif kind == "sign" and inside and sql.startswith("*/", at):
                kind, end, inside = "mark", at + 2, False
            # Only an unterminated token includes the line break appended to the text; blanks may, too.
            yield Token(kind, sql[at:end], at, min(end, len(sql)), end <= len(sql) or sql[at:].isspace())
            at = end

    def _block_end(self, sql: str, start: int) -> int:
        """Return the end of a comment; past the end of the text if it is unterminated."""
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
