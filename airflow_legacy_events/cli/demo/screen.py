"""Output of the demo: coloured on a terminal, plain in a pipe or with NO_COLOR."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

BOLD, DIM, GREEN, CYAN = "1", "2", "32", "36"


def say(text: str = "") -> None:
    """Print a line for the viewer."""
    print(text, flush=True)  # noqa: T201


def paint(text: str, *styles: str) -> str:
    """Return the text in these styles, or unchanged where they would not be shown."""
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return text
    return f"\033[{';'.join(styles)}m{text}\033[0m"


def head(text: str) -> None:
    """Print the title of a step."""
    say(f"\n{paint(text, BOLD)}")


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns under their titles."""
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    for number, row in enumerate((titles, *rows)):
        line = "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        say(f"   {paint(line, DIM) if number == 0 else line}")
