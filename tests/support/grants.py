"""GRANTs in two spellings: those that a page prints, and those that an error names for a user of the tests."""

from __future__ import annotations

import re

from tests.support.readers import Reader

_PRINTED = re.compile(r"GRANT (?P<what>.*?) ON (?P<on>.*) TO reader")
_PARTS = re.compile(r"[^,(]+(?:\([^)]*\))?")


def singly(statement: str) -> list[str]:
    """A printed GRANT as one for each of its privileges."""
    found = _PRINTED.fullmatch(statement)
    if found is None:
        return [statement]
    return [f"GRANT {one.strip()} ON {found['on']} TO reader" for one in _PARTS.findall(found["what"]) if one.strip()]


def named(text: object, reader: Reader) -> list[str]:
    """The GRANTs that stand on lines of their own, spelled as the page does."""
    return [line for line in spelled(text, reader).splitlines() if line.startswith("GRANT ")]


def spelled(text: object, reader: Reader) -> str:
    """Return a text without quotes, `public` and the host of an account; the names are those of the page."""
    plain = re.sub(r"'@'[^']*'", "'", str(text))
    plain = re.sub(r"[`'\"]", "", plain).replace("public.", "")
    plain = re.sub(rf" TO {reader.name}\b", " TO reader", plain)
    return plain.replace(str(reader.legacy.url.database), "crm")
