"""How many rows a statement makes a storage engine of the MySQL family read."""

from __future__ import annotations

from typing import Any

from tests.support.legacy import Legacy


def handler_reads(legacy: Legacy, statement: str, parameters: Any) -> int:
    """Run the statement; return what it adds to the session's counters.

    They are never reset: in a new MySQL `FLUSH STATUS` resets those of every session, so of tests beside this one too.
    What asking for them adds itself is measured and taken off.
    """
    first, before = _counted(legacy), _counted(legacy)
    legacy.connection.execute(statement, parameters).fetchall()
    return _counted(legacy) - before - (before - first)


def _counted(legacy: Legacy) -> int:
    return sum(int(count) for _, count in legacy.execute("SHOW SESSION STATUS LIKE 'Handler_read%'"))
