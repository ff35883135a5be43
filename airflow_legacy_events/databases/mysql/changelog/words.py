"""A statement's tokens, read one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from airflow_legacy_events.databases.mysql.tokens import Name, Token

_END = Token("end", "")
_OPEN, _CLOSE = "(", ")"


class Words:
    """Reads tokens from the first to the last, none before it is needed: a statement may be as long as a packet.

    Args:
        tokens: of the statement.
    """

    def __init__(self, tokens: Iterable[Token]) -> None:
        self._tokens = iter(tokens)
        self._ahead: deque[Token] = deque()

    @property
    def keyword(self) -> str:
        """The next token as a keyword; empty if it is none."""
        return self.ahead().keyword

    @property
    def ended(self) -> bool:
        """Whether there is no further token but a semicolon."""
        return self.ahead() == _END or (self.ahead().text == ";" and self.ahead(1) == _END)

    def ahead(self, by: int = 0) -> Token:
        """Return the next token, or one behind it."""
        while len(self._ahead) <= by:
            self._ahead.append(next(self._tokens, _END))
        return self._ahead[by]

    def next(self) -> Token:
        """Take the next token."""
        return self._ahead.popleft() if self._ahead else next(self._tokens, _END)

    def rest(self) -> Iterator[Token]:
        """Take all tokens that are left."""
        while (token := self.next()) != _END:
            yield token

    def take(self, *keywords: str) -> bool:
        """Take these keywords if they follow."""
        if any(self.ahead(at).keyword != one for at, one in enumerate(keywords)):
            return False
        for _ in keywords:
            self.next()
        return True

    def sign(self, text: str) -> bool:
        """Take a sign if it follows."""
        if self.ahead() != Token("sign", text):
            return False
        self.next()
        return True

    def skip(self, *keywords: str) -> None:
        """Take all of these keywords that follow, in any order."""
        while self.keyword in keywords:
            self.next()

    def name(self) -> Name | None:
        """Take a name with or without its database; None if none follows. `.name` has the default database."""
        self.sign(".")
        if not self.ahead().is_name:
            return None
        first = self.next().text
        if self.ahead() == Token("sign", ".") and self.ahead(1).is_name:
            self.next()
            return Name(first, self.next().text)
        return Name(None, first)

    def until(self, *keywords: str) -> list[Token]:
        """Take tokens up to one of these keywords outside of parentheses, or to the end."""
        found, depth = [], 0
        while self.ahead() != _END and not (depth == 0 and self.keyword in keywords):
            token = self.next()
            depth += step(token)
            found.append(token)
        return found


def parts(tokens: Iterable[Token]) -> Iterator[Words]:
    """Yield what stands between the commas outside of parentheses."""
    part: list[Token] = []
    depth = 0
    for token in tokens:
        depth += step(token)
        if depth == 0 and token == Token("sign", ","):
            yield Words(part)
            part = []
        else:
            part.append(token)
    yield Words(part)


def inside(tokens: Iterable[Token]) -> list[Token]:
    """Return what stands in the parentheses that the tokens begin with."""
    depth, found = 0, []
    for token in tokens:
        depth += step(token)
        if depth == 0:
            break
        found.append(token)
    return found[1:]


def step(token: Token) -> int:
    """Return by how much a token changes the depth of parentheses."""
    if token.kind != "sign":
        return 0
    return (token.text == _OPEN) - (token.text == _CLOSE)
