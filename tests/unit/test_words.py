"""Words of the documentation, of docstrings and comments, and of what the package reports."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = [*(ROOT / "airflow_legacy_events").rglob("*.py")]
PAGES = [page for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")] if page.name != "CHANGELOG.md"]

# Each is a word-for-word translation, old-fashioned, or hides who acts. The right side says it plainly.
WORDS = {
    r"told": "reported, shown, detected, distinguished",
    r"asked": "given, requested, queried, selected",
    r"anew": "again; start over, recreate",
    r"mend(s|ed|ing)?": "fix, remedy",
    r"whoever": "a user who, anyone who",
    r"nobody": "no one, or a passive",
    r"goes on": "continues",
    r"otherwise than": "differently than",
}
FORBIDDEN = re.compile(rf"\b({'|'.join(WORDS)})\b(?!:)", re.IGNORECASE)  # a colon ends the name of an attribute

# A heading names its subject. A question, or one that begins like a question, says only that there is one.
RIDDLE = re.compile(r"^#+ (What|Which|Who|Whose|Whom|When|Where|Why|How|Whatever)\b|\?$")

CODE = re.compile(r"```.*?```|<!--.*?-->|`[^`]*`", re.DOTALL)


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the comments of a Python file, and its texts of more than one word, each with its line."""
    source = path.read_text()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value


def prose_of(page: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a page, without code."""
    text = CODE.sub(lambda found: re.sub(r"[^\n]", "", found[0]), page.read_text())
    yield from enumerate(text.splitlines(), 1)


def forbidden(texts: Iterator[tuple[int, str]], path: Path) -> list[str]:
    return [f"{path.relative_to(ROOT)}:{line}: {word[0]}" for line, text in texts for word in FORBIDDEN.finditer(text)]


def test_docstrings_comments_and_messages_are_in_plain_words():
    assert [one for path in PACKAGE for one in forbidden(texts_of(path), path)] == []


def test_pages_are_in_plain_words():
    assert [one for page in PAGES for one in forbidden(prose_of(page), page)] == []


def test_headings_name_their_subject():
    headings = [line for page in PAGES for _, line in prose_of(page) if line.startswith("#")]
    assert len(headings) > len(PAGES)
    assert [heading for heading in headings if RIDDLE.search(heading)] == []
