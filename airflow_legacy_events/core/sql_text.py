"""SQL text in any dialect: check that it is one SELECT, and fingerprint for comparing two texts.

Tokens distinguish only what is needed to find quotes, comments and semicolons. The text must be one SELECT in every
reading that its session may have: a string literal in one reading may hold statements in another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from airflow_legacy_events.core import sql_dialects
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.sql_dialects import Dialect
from airflow_legacy_events.core.sql_readings import Reading, Token

SELECTS = frozenset({"SELECT", "WITH", "VALUES", "TABLE"})
_SECOND_RULE = "2:"


def one_select(sql: str, dialect: Dialect = sql_dialects.UNKNOWN) -> str:
    """Return the SELECT in `sql`, without comments, blanks and semicolons before and after it.

    Args:
        sql: the text.
        dialect: how the session may read it.

    Raises:
        ConfigurationError: in some reading it is empty, is several statements, begins with a word other than SELECT,
            WITH, VALUES or TABLE, or its brackets do not match; or in all readings a quote or comment is left open.
    """
    starts, ends = [], []
    for at, reading in enumerate(dialect.readings(sql)):
        found = list(reading.tokens(sql))
        tokens, fault = _only_statement(found)
        if fault:
            raise _refusal(fault, first=at == 0)
        if all(token.ended for token in found):  # otherwise a database with this reading refuses the whole text
            starts.append(tokens[0].start)
            ends.append(tokens[-1].end)
    if not ends or "\0" in sql:
        raise _refusal("holds a NUL" if ends else "leaves a quote or comment open", first=True)
    return sql[min(starts) : max(ends)]


def _refusal(fault: str, *, first: bool) -> ConfigurationError:
    if first:
        return ConfigurationError(f"sql= {fault}; nothing was read or executed. Give one SELECT")
    return ConfigurationError(
        f"sql= {fault} the way this database may read it; nothing was read or executed. Double a quote within a text"
        " instead of escaping it with a backslash, and leave semicolons, brackets and quotes out of comments. Give one"
        " SELECT"
    )


def fingerprint(sql: str, dialect: Dialect) -> str:
    """Return a fingerprint that ignores blanks, comments and final semicolons.

    It does not depend on session settings. A comment that the database executes is not ignored. Texts that differ in
    one of the readings have different fingerprints.
    """
    readings = sql_dialects.for_comparison(dialect).readings(sql)
    forms = sorted({_joined(reading, sql) for reading in readings})
    return _SECOND_RULE + _digest("\0".join(forms))


def _joined(reading: Reading, sql: str) -> str:
    tokens = [token.text for token in reading.tokens(sql) if token.kind != "blank"]
    while tokens and tokens[-1] == ";":
        tokens.pop()
    return " ".join(tokens)


def _digest(form: str) -> str:
    return hashlib.sha256(form.encode()).hexdigest()[:16]


def _only_statement(found: Iterable[Token]) -> tuple[list[Token], str]:
    """Return the tokens of the only statement, and the fault of the text."""
    statements: list[list[Token]] = [[]]
    for token in found:
        if token.kind == "sign" and token.text == ";":
            if _executes(statements[-1]):
                return [], "holds a semicolon in a comment that is executed"
            statements.append([])
        elif token.kind != "blank":
            statements[-1].append(token)
    statements = [tokens for tokens in statements if tokens]
    if not statements:
        return [], "holds no statement"
    if len(statements) > 1:
        return [], f"holds {len(statements)} statements"
    return statements[0], _fault(statements[0])


def _executes(tokens: list[Token]) -> bool:
    """Return whether an executed comment is open."""
    marks = [token.text for token in tokens if token.kind == "mark"]
    return bool(marks) and marks[-1] != "*/"


def _fault(tokens: list[Token]) -> str:
    first = next((token for token in tokens if token.text != "(" and token.kind != "mark"), tokens[0])
    if first.text.upper() not in SELECTS:
        return f"begins with {first.text.upper()[:20] if first.kind == 'word' else 'a sign'}, which is not a SELECT"
    depth = 0
    for token in tokens:
        if token.kind == "sign":
            depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth < 0:
            return "closes a bracket that it did not open"
    if _executes(tokens):
        return "leaves a comment open that is executed"
    return "leaves a bracket open" if depth else ""
