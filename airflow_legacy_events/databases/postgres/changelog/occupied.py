"""A slot that another session uses: named, or ended if it was left by an earlier run of the same stream."""

from __future__ import annotations

import time
from collections.abc import Callable

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.postgres.changelog.session import LogSession
from airflow_legacy_events.databases.postgres.changelog.slot import Holder, Slot, find_holder, find_slot

LEFTOVER_SECONDS = 60.0
"""How long a session of an earlier run of the stream may keep its slot; this run holds the stream's lock."""

_LOOK_SECONDS, _END_SECONDS = 0.2, 10.0
_ENDING = "SELECT pg_terminate_backend(%s)"


def free(session: LogSession, slot: Slot, application: str, clock: Callable[[], float] = time.monotonic) -> None:
    """Return once no one uses a slot.

    Args:
        session: to query.
        slot: as it is.
        application: name of our own sessions for the stream.
        clock: seconds that pass.

    Raises:
        SourceError: another session uses it; the error names it.
    """
    began, ended, pid = clock(), False, slot.pid
    while pid is not None:
        holder = find_holder(session, pid)
        if holder is not None and holder.application != application:
            raise _in_use(session, slot.name, holder)
        if not ended and holder is not None and clock() - began >= LEFTOVER_SECONDS:
            session.ask("ending a session that an earlier run left", _ENDING, (pid,))
            ended = True
        if clock() - began >= LEFTOVER_SECONDS + _END_SECONDS:
            raise _in_use(session, slot.name, holder or Holder(pid, None, None, "", None))
        session.wait(_LOOK_SECONDS)
        now = find_slot(session, slot.name)
        pid = None if now is None else now.pid


def _in_use(session: LogSession, name: str, holder: Holder) -> SourceError:
    return SourceError(
        f"replication slot {name!r} is in use: {holder.told()}; nothing was read, since only one session may read it."
        f" Wait for it, or end it, if no one needs it (connection {session.conn_id!r})\n{holder.ending()}"
    )
