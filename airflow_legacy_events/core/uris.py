"""URI-references by RFC 3986, as required for a CloudEvent's `source`."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

_RESERVED = ":/?#[]@!$&'()*+,;="
_LONE_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*:")
_AUTHORITY = re.compile("(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/?]*")
_WITH_IP_LITERAL = re.compile(r".*//([^@\[\]]*@)?\[[0-9A-Za-z:.]+\](:\d*)?")
_FIRST_SEGMENT = re.compile("[^/?]*")


def path_of(*names: Any) -> str:
    """Return names as a path, each with its `%` escaped, so that unescaping restores the names.

    Args:
        names: texts; while a DAG is parsed also another task's output, whose text is a template.
    """
    return reference("".join("/" + str(name).replace("%", "%25") for name in names))


def reference(text: str) -> str:
    """Return a text as a URI-reference: characters that are not allowed are percent-encoded, as UTF-8.

    A valid reference stays unchanged, escapes included. Besides single characters these are encoded: a second `#`,
    brackets around anything but an address, and a `:` after something that is not a scheme.
    """
    escaped = quote(_LONE_PERCENT.sub("%25", text), safe=f"%{_RESERVED}", errors="surrogatepass")
    before, mark, fragment = escaped.partition("#")
    found = _AUTHORITY.match(before)
    authority = found[0] if found else ""
    if not _WITH_IP_LITERAL.fullmatch(authority):
        authority = _without_brackets(authority)
    rest = before[found.end() :] if found else _with_scheme(before)
    return authority + _without_brackets(rest) + mark + _without_brackets(fragment).replace("#", "%23")


def _with_scheme(text: str) -> str:
    """Escape colons in a first segment that would otherwise be read as the end of a scheme."""
    first = _FIRST_SEGMENT.match(text)
    if first is None or ":" not in first[0] or _SCHEME.match(text):
        return text
    return first[0].replace(":", "%3A") + text[first.end() :]


def _without_brackets(text: str) -> str:
    return text.replace("[", "%5B").replace("]", "%5D")
