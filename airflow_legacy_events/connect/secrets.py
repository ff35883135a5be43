"""Secrets in a config: which keys hold them, and what is shown instead."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

MASK = "***"

_NAMES = re.compile(
    r"passw|passphrase|secret|token|credential|jaas|api[._-]?key|access[._-]?key|private[._-]?key|ssl\.keystore\.key"
    r"|auth\.user\.info|authorization|connection\.string|(?:^|[._-])pass$",
    re.IGNORECASE,
)
_IN_VALUE = re.compile(
    r"://[^/@\s]*:[^/@\s]+@|(?:password|pwd|secret|token)\s*=|\b(?:bearer|basic)\s+\S", re.IGNORECASE
)
_PLACEHOLDER = re.compile(r"\$\{[^{}:]+:[^{}]*\}")
_MASKED = re.compile(r"[*•]{3,}|\[hidden\]", re.IGNORECASE)
_NOTHING_SECRET = frozenset({"true", "false", "none", "null"})


def is_placeholder(value: str) -> bool:
    """Whether a value is left to a config provider of the worker, such as ``${file:/run/crm.properties:password}``."""
    return _PLACEHOLDER.fullmatch(value) is not None


def is_masked(value: str) -> bool:
    """Whether a worker hides the value, as managed services do: what it is then is not known."""
    return _MASKED.fullmatch(value) is not None


def holds_secret(key: str, value: str, passwords: Collection[str] = ()) -> bool:
    """Whether a value must not be shown.

    Args:
        key: of the config.
        value: of that key.
        passwords: keys that the plugin declares as passwords.
    """
    if not value or is_placeholder(value) or value.lower() in _NOTHING_SECRET:
        return False
    return key in passwords or _NAMES.search(key) is not None or _IN_VALUE.search(value) is not None


def shown(key: str, value: str | None, passwords: Collection[str] = ()) -> str | None:
    """Return a value as it may be shown; see `holds_secret`."""
    return MASK if value is not None and holds_secret(key, value, passwords) else value


def secrets_of(config: Mapping[str, str], passwords: Collection[str] = ()) -> frozenset[str]:
    """Return the values of a config that must not be shown; see `holds_secret`."""
    return frozenset(value for key, value in config.items() if holds_secret(key, value, passwords))
