"""UUID, INET4 and INET6 of MariaDB, which the log holds as bytes without the zeros at their end."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable

_LONG, _SHORT = 16, 4


def _uuid(stored: bytes) -> str:
    return str(uuid.UUID(bytes=stored.ljust(_LONG, b"\0")))


def _inet4(stored: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET, stored.ljust(_SHORT, b"\0"))


def _inet6(stored: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET6, stored.ljust(_LONG, b"\0"))


ADDRESSES: dict[str, Callable[[bytes], str]] = {"uuid": _uuid, "inet4": _inet4, "inet6": _inet6}
"""By declared type, what returns the text of a stored value."""
