"""Secrets of a Kafka connection: removed from every text of librdkafka, in errors and in the log."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

_SECRET = (
    *("password", "secret", "passphrase", "pem", "username", "token"),
    *("oauthbearer.config", "oauthbearer.extensions", "kinit.cmd"),
)
_MASK = "***"
_LONG = 8
"""Minimum length for hiding a value inside words too; a shorter one would hide parts of words by chance."""
_REST = re.compile(r"(?<=beginning at: ).*", re.DOTALL)
"""The part of an unreadable `sasl.oauthbearer.config` that librdkafka quotes."""


class Hider:
    """Replaces the secrets of a connection in a text.

    Args:
        config: the connection's settings.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        secrets = {
            text
            for name, value in config.items()
            if any(part in name for part in _SECRET) and not callable(value)
            for text in _parts(name, str(value))
        }
        patterns = map(_pattern, sorted(filter(None, secrets), key=lambda text: (-len(text), text)))
        self._found = re.compile("|".join(patterns)) if secrets - {""} else None

    def __call__(self, text: str) -> str:
        """Return the text without secrets."""
        plain = text if self._found is None else self._found.sub(_MASK, text)
        return _REST.sub(_MASK, plain)


class ClientLog:
    """Passes the lines of a client to a log, without secrets.

    Args:
        log: of the task.
        hide: removes the secrets of the connection.
    """

    def __init__(self, log: logging.Logger, hide: Hider) -> None:
        self._log, self._hide = log, hide

    def log(self, level: int, message: str, *arguments: Any) -> None:
        """Called by confluent-kafka for each line of librdkafka."""
        self._log.log(level, "%s", self._hide(message % arguments if arguments else message))


def _parts(name: str, value: str) -> Iterator[str]:
    yield value.strip()
    if name.endswith("oauthbearer.config"):
        for part in value.split():
            yield part
            yield part.partition("=")[2]


def _pattern(text: str) -> str:
    return re.escape(text) if len(text) >= _LONG else rf"(?<!\w){re.escape(text)}(?!\w)"
