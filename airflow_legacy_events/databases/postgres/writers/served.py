"""Proof that a PostgreSQL server still knows the transactions of an earlier look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from airflow_legacy_events.core.errors import WatermarkError

# The number at the last checkpoint is on disk; later ones may be used again after a crash.
NOW = """
SELECT (pg_catalog.pg_control_system()).system_identifier::pg_catalog.text,
       pg_catalog.pg_postmaster_start_time()::pg_catalog.text, pg_catalog.pg_is_in_recovery(),
       (pg_catalog.pg_control_checkpoint()).next_xid
"""


class Now(NamedTuple):
    """Facts of a server, of which the first three tell whether it was started since.

    Attributes:
        system: identifier of its data.
        started: when its process was.
        standby: whether its rows arrive from another server.
        next_xid: epoch and number of the next transaction, at the last checkpoint.
    """

    system: str
    started: str
    standby: bool
    next_xid: str

    def facts(self, position: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return what `restarted` compares later, as plain JSON; `position` as `Database.position` returns it."""
        return {**self._asdict(), "position": position}


def restarted(before: Mapping[str, Any], now: Now, behind: Callable[[Mapping[str, Any]], str | None]) -> bool:
    """Return whether the server was started since a look, or another one of the same data took over.

    Args:
        before: `Now.facts` of the look.
        now: of this server.
        behind: see `core.ports.Database.behind`.

    Raises:
        WatermarkError: the server has not all transactions of that look.
    """
    if before.get("system") != now.system:
        raise _unknown(
            f"the open transactions that the watermark waits for are those of the server with system identifier"
            f" {before.get('system')}, and this is {now.system}"
        )
    if before.get("started") == now.started:
        return False
    if now.standby and not before.get("standby"):
        raise _unknown("the open transactions that the watermark waits for are those of the primary of this standby")
    position = before.get("position")
    if position and (why := behind(position)):
        raise _unknown(f"the open transactions that the watermark waits for are not known any more: {why}")
    if _number(now.next_xid) < _number(before.get("next_xid")):
        raise _unknown(
            f"the transactions of this server went back to {now.next_xid}, from {before.get('next_xid')} when the"
            " watermark began to wait for some of them"
        )
    return True


def _number(next_xid: object) -> tuple[int, ...]:
    return tuple(int(part) for part in str(next_xid or "0:0").split(":"))


def _unknown(why: str) -> WatermarkError:
    return WatermarkError(
        f"{why}; nothing was read\nPoint the connection at the server that the stream was read from. If the rows of"
        " this one count from now on, accept it with `airflow legacy-events watermark set --accept-server`"
    )
