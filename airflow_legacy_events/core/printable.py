"""Escaping for a terminal or a log: control characters in names and values must have no effect there."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return `text` with each control character and other unprintable character as a Python escape sequence."""
    return text if text.isprintable() else "".join(map(_shown, text))


def printable_lines(text: str) -> str:
    """Same as `printable`, but with line ends unchanged."""
    return "\n".join(map(printable, text.split("\n")))


def _shown(one: str) -> str:
    return one if one.isprintable() else one.encode("unicode_escape").decode("ascii")
