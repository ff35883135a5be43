"""Truncation of long names, kept distinct by a hash of the whole name."""

from __future__ import annotations

import hashlib


def digest(text: str, digits: int = 64) -> str:
    """Return the first hexadecimal digits of the SHA-256 of `text`, at most 64."""
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


def cut(text: str, longest: int, *, digits: int = 8) -> str:
    """Return `text`; if it has more than `longest` characters, its start, `~` and `digits` digits of its hash."""
    return text if len(text) <= longest else f"{text[: longest - digits - 1]}~{digest(text, digits)}"


def cut_bytes(text: str, longest: int, *, digits: int = 8) -> str:
    """Same as `cut`, with `longest` in bytes of UTF-8; no character is split."""
    whole = text.encode()
    if len(whole) <= longest:
        return text
    return f"{whole[: longest - digits - 1].decode(errors='ignore')}~{digest(text, digits)}"
