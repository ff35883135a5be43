"""URI-references, as RFC 3986 allows them: what a CloudEvent's `source` must be."""

from __future__ import annotations

import re
from urllib.parse import quote

_RESERVED = ":/?#[]@!$&'()*+,;="
_LONE_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*:")
_AUTHORITY = re.compile("(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/?]*")
_WITH_IP_LITERAL = re.compile(r".*//([^@\[\]]*@)?\[[0-9A-Za-z:.]+\](:\d*)?")
_FIRST_SEGMENT = re.compile("[^/?]*")


def path_of(*names: str) -> str:
    """Return names as a path, each with its `%` escaped, so that unescaping gives the names again."""
    return reference("".join("/" + name.replace("%", "%25") for name in names))


def reference(text: str) -> str:
    """Return a text as a URI-reference: what may not stand there is percent-encoded, as UTF-8.

    What is one already stays as it is, escapes included. Apart from single characters that is: `#` twice, brackets
    around anything else than an address, and a `:` behind what is no scheme.
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
    """Escape the colons of a first segment that would be read as the end of a scheme, and are none."""
    first = _FIRST_SEGMENT.match(text)
    if first is None or ":" not in first[0] or _SCHEME.match(text):
        return text
    return first[0].replace(":", "%3A") + text[first.end() :]


def _without_brackets(text: str) -> str:
    return text.replace("[", "%5B").replace("]", "%5D")
