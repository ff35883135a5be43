"""Waiting rows: those above the bound of a run, as its log says it, and when they fail it."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError, HorizonError
from airflow_legacy_events.core.model import PENDING_ROWS, HeldBack, Horizon
from airflow_legacy_events.core.printable import printable

LONG_SECONDS = 60.0
"""From here on, rows that wait for an open transaction are a warning."""

OPEN = "open_transaction"
_WAITS = {
    "future": "they are above the database's current time",
    "lag": "they are younger than lag=, or than the last tick of the database's clock",
    OPEN: "a transaction that is still open may commit rows below them",
}


def announce(log: logging.Logger, stream: str, held: HeldBack) -> None:
    """Log how many rows wait for a later run, and for what."""
    long = held.reason == OPEN and (held.oldest_seconds or 0) >= LONG_SECONDS
    level = logging.WARNING if long else logging.INFO
    log.log(level, "%s: %s rows wait for a later run: %s%s", stream, _number(held), _WAITS[held.reason], _since(held))


def refuse_unseen(stream: str, horizon: Horizon, most: dt.timedelta | None) -> None:
    """Check that a run whose rows may wait only so long waits for open transactions at all.

    Raises:
        ConfigurationError: it doesn't; nothing was read.
    """
    if most is not None and not horizon.below:
        raise ConfigurationError(
            f"max_horizon_age= has no effect on stream {stream!r}, whose runs wait for no open transaction; nothing was"
            f" read. Leave it out.\nThe stream is {horizon.completeness!r}: {horizon.reason}"
        )


def refuse_old(stream: str, horizon: Horizon, most: dt.timedelta | None) -> None:
    """Check that no open transaction holds rows back for longer than the operator allows.

    Args:
        stream: name of the stream, for the message.
        horizon: of the run, which has delivered all that it may.
        most: the operator's `max_horizon_age`; None: any time is allowed.

    Raises:
        HorizonError: they wait for longer; names the transaction, and the statement that ends it.
    """
    held = horizon.held_back
    if most is None or held is None or held.reason != OPEN or held.oldest_seconds is None:
        return
    if held.oldest_seconds <= most.total_seconds():
        return
    end = "Let it end" if horizon.ends is None else f"Let it end, or end it on the server:\n{printable(horizon.ends)}\n"
    raise HorizonError(
        f"{_number(held)} rows of stream {stream!r} have waited {held.oldest_seconds:.0f} s for an open transaction,"
        f" max_horizon_age= allows {most.total_seconds():.0f} s: {who(held.blocker)}. {end}"
        f"{'. ' if horizon.ends is None else ''}The rows below them are delivered and saved; a later run continues from"
        " there",
        blocker=held.blocker,
    )


def who(blocker: Mapping[str, Any] | None) -> str:
    """Return who holds rows back, in words."""
    if blocker is None:
        return "its session can't be seen"
    if "offset" in blocker:
        at, number, topic = (blocker.get(one) for one in ("offset", "partition", "topic"))
        return printable(f"a producer's, from offset {at} of partition {number} of topic {topic!r} on")
    gid, pid, user, database, since = (blocker.get(one) for one in ("gid", "pid", "user", "database", "query_start"))
    named = f"prepared transaction {gid!r}" if gid is not None else f"session {'?' if pid is None else pid}"
    of = "" if user is None else f" of user {user!r}"
    where = "" if database is None else f" in database {database!r}"
    return printable(f"{named}{of}{where}{'' if since is None else f', its last statement since {since}'}")


def _number(held: HeldBack) -> str:
    return f"{'at least ' if held.rows >= PENDING_ROWS else ''}{held.rows}"


def _since(held: HeldBack) -> str:
    if held.reason != OPEN:
        return ""
    seconds = "" if held.oldest_seconds is None else f", for {held.oldest_seconds:.1f} s"
    return f"{seconds}: {who(held.blocker)}"
