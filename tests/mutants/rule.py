"""One rule of the horizons, and how it is taken out."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGE = Path("airflow_legacy_events")


class Rule(NamedTuple):
    """A rule, the patch that takes it out, and the tests of which one must then fail.

    Attributes:
        name: the rule, in words.
        file: that holds it, below the package.
        text: that is replaced; it occurs once.
        instead: what replaces it.
        tests: node ids, below `tests`.
    """

    name: str
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]

    def path(self, root: Path) -> Path:
        """Return the file in a tree."""
        return root / PACKAGE / self.file

    def apply(self, root: Path) -> str:
        """Take the rule out of a tree; return the text of the file before.

        Raises:
            ValueError: the text does not occur once.
        """
        path = self.path(root)
        before = path.read_text()
        if before.count(self.text) != 1:
            raise ValueError(f"{self.file} holds the text of the rule {self.name!r} {before.count(self.text)} times")
        path.write_text(before.replace(self.text, self.instead))
        return before
