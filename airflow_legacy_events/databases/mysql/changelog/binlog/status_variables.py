"""Status variables of QUERY: what of its session a statement's meaning depends on.

Each is a code byte and a value whose size only the code says, so what stands behind an unknown one is not read; the
server skips it likewise. Codes up to 20 are MySQL's, those from 128 on MariaDB's, which writes 131 before 4. Source:
`Query_event` and `Query_log_event`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from airflow_legacy_events.databases.mysql.changelog.binlog.bytes import Bytes

SQL_MODE, CATALOG, AUTO_INCREMENT, CHARACTER_SETS, TIME_ZONE = 1, 2, 3, 4, 5
FLAGS = 0
UPDATED_DATABASES = 12
_MANY_DATABASES = 254
_SESSIONS = 256
"""How many different ones are kept: those of most statements are alike."""
_ENDS_ALTER = 4 | 8

ANSI_QUOTES, NO_BACKSLASH_ESCAPES = 4, 1 << 20
"""Bits of the SQL mode that change how a statement is read; both families use them."""


class StatusVariables(NamedTuple):
    """What a statement's meaning depends on.

    Attributes:
        sql_mode: bits; None if not logged.
        client_collation: number of the collation of the statement's character set; None if not logged.
    """

    sql_mode: int | None = None
    client_collation: int | None = None

    @property
    def ansi_quotes(self) -> bool:
        """Whether double quotes hold names."""
        return bool((self.sql_mode or 0) & ANSI_QUOTES)

    @property
    def backslashes(self) -> bool:
        """Whether a backslash escapes the character behind it."""
        return not (self.sql_mode or 0) & NO_BACKSLASH_ESCAPES


@lru_cache(maxsize=_SESSIONS)
def status_variables(data: bytes) -> StatusVariables:
    """Return the status variables of a QUERY.

    Raises:
        ValueError: one of them is cut off.
    """
    values = Bytes(data)
    found: dict[int, bytes] = {}
    while values.left:
        code = values.number(1)
        take = _TAKES.get(code)
        if take is None:
            break
        found[code] = take(values)
    mode, sets = found.get(SQL_MODE), found.get(CHARACTER_SETS)
    return StatusVariables(
        None if mode is None else int.from_bytes(mode, "little"),
        None if sets is None else int.from_bytes(sets[:2], "little"),
    )


def _of(size: int) -> Callable[[Bytes], bytes]:
    return lambda values: values.take(size)


def _sized(values: Bytes) -> bytes:
    return values.take(values.number(1))


def _ended(values: Bytes) -> bytes:
    """Take a sized text and the zero behind it."""
    found = _sized(values)
    values.take(1)
    return found


def _two(values: Bytes) -> bytes:
    return _sized(values) + _sized(values)


def _databases(values: Bytes) -> bytes:
    """Take the names of updated databases, each of which a zero ends; 254 of them are none."""
    count = values.number(1)
    if count == _MANY_DATABASES:
        return b""
    for _ in range(count):
        while values.number(1):
            pass
    return b""


def _gtid_flags(values: Bytes) -> bytes:
    """Take flags, and the number of the ALTER that they end."""
    flags = values.take(1)
    return flags + values.take(8 if flags[0] & _ENDS_ALTER else 0)


def _pairs(values: Bytes) -> bytes:
    """Take pairs of collations."""
    return values.take(4 * values.number(1))


_TAKES: dict[int, Callable[[Bytes], bytes]] = {
    FLAGS: _of(4),
    SQL_MODE: _of(8),
    CATALOG: _ended,
    AUTO_INCREMENT: _of(4),
    CHARACTER_SETS: _of(6),
    TIME_ZONE: _sized,
    6: _sized,  # catalog without a zero
    7: _of(2),  # language of times
    8: _of(2),  # character set of the database
    9: _of(8),  # tables that an UPDATE changes
    10: _of(4),  # data of the source's session
    11: _two,  # user and host that invoke
    UPDATED_DATABASES: _databases,
    13: _of(3),  # microseconds
    14: _of(1),  # commit timestamp
    15: _of(1),  # commit timestamp
    16: _of(1),  # explicit defaults for timestamps
    17: _of(8),  # number of a DDL transaction
    18: _of(2),  # collation of utf8mb4
    19: _of(1),  # whether a primary key is required
    20: _of(1),  # whether tables are encrypted
    128: _of(3),  # MariaDB's microseconds
    129: _of(8),  # MariaDB's number of a DDL transaction
    130: _gtid_flags,
    131: _pairs,
    255: _of(0),  # filler
}
