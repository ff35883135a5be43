"""Line wrapping: texts in lines that a page shows without horizontal scrolling."""

from __future__ import annotations

import re
import textwrap

WIDTH = 74
"""Characters per line on Airflow's task page in a window of 1200 pixels."""

_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?]) (?=[A-Z\"'`(\[{])")
_COMMAND = re.compile(r"`[^`]*`")
_STATEMENT = re.compile(r"(?:ALTER|CREATE|GRANT|REVOKE|SELECT|SET) ")
_HELD = "\x00"
"""Placeholder for a blank at which no line is broken."""


def in_lines(text: str, before: int = 0) -> str:
    """Return a text with each sentence on a line of its own, and lines of at most `WIDTH` characters.

    Text meant for copying is never broken: text in backticks, and a line that is an SQL statement. Words are not
    broken either. Further lines of a sentence are indented.

    Args:
        text: of sentences, as in our error messages.
        before: characters that the page puts before the first line.
    """
    held = _COMMAND.sub(lambda found: found[0].replace(" ", _HELD), text)
    made: list[str] = []
    for line in held.split("\n"):
        for sentence in [line] if _STATEMENT.match(line) else _BETWEEN_SENTENCES.split(line):
            made += _wrapped(sentence, "" if made else " " * before)
    return "\n".join(made).strip().replace(_HELD, " ")


def _wrapped(sentence: str, before: str) -> list[str]:
    if _STATEMENT.match(sentence):
        return [sentence]
    return textwrap.wrap(
        sentence, WIDTH, initial_indent=before, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
