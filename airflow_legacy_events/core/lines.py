"""Texts in lines that a page shows without being moved sideways."""

from __future__ import annotations

import re
import textwrap

WIDTH = 74
"""Characters of a line that Airflow's page of a task shows in a window of 1200 pixels."""

_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?]) (?=[A-Z\"'`(\[{])")
_COMMAND = re.compile(r"`[^`]*`")
_STATEMENT = re.compile(r"(?:ALTER|CREATE|GRANT|REVOKE|SELECT|SET) ")
_HELD = "\x00"
"""Stands for a blank that no line ends at."""


def in_lines(text: str, before: int = 0) -> str:
    """Return a text with each sentence beginning a line of its own, and lines of `WIDTH` characters at most.

    What is copied by hand is never broken: what stands in backticks, and a line that is an SQL statement. Neither is a
    word. Further lines of a sentence are indented.

    Args:
        text: of sentences, as our errors have them.
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
