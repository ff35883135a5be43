"""Text for a terminal or a log, which must not obey what a name or a value holds."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return `text` with each control character, and whatever else has no shape, written as a Python text shows it."""
    return text if text.isprintable() else "".join(map(_shown, text))


def printable_lines(text: str) -> str:
    """Return what `printable` does, with the ends of lines left as they are."""
    return "\n".join(map(printable, text.split("\n")))


def _shown(one: str) -> str:
    return one if one.isprintable() else one.encode("unicode_escape").decode("ascii")
