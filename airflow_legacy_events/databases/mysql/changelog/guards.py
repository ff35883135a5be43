"""Guards: whether the log continues where a watermark ends, before anything is read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_states import GtidState
from airflow_legacy_events.databases.mysql.changelog.gtids import Gtids, is_another_family, parsed
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace
from airflow_legacy_events.databases.mysql.changelog.places import order, text_of
from airflow_legacy_events.databases.mysql.changelog.server import LogServer


class There(NamedTuple):
    """What there is now.

    Attributes:
        conn_id: Airflow's name of the connection.
        stream: name of the stream.
        server: that answers.
        end: of its log.
        files: of its log, None where they can't be seen.
    """

    conn_id: str
    stream: str
    server: LogServer
    end: BinlogPlace
    files: Collection[str] | None

    @property
    def anew(self) -> str:
        """How a stream continues whose log does not, on a line of its own."""
        return (
            f"To begin again with all rows: {command('forget', self.stream)}, then a run. What was deleted meanwhile is"
            " unknown, and stays in the topic"
        )


def is_same(server: LogServer, stored: Mapping[str, Any]) -> bool:
    """Return whether a watermark is of this very server; one that does not say so is."""
    before = stored.get("server")
    return not isinstance(before, Mapping) or not before or dict(before) == server.identity


def goes_on(there: There, stored: Mapping[str, Any], place: BinlogPlace) -> Iterator[WatermarkError]:
    """Yield why the log of the same server does not go on at the place of a watermark."""
    if order(place) > order(there.end):
        yield _reset(there, place, f"its log ends at {text_of(there.end)}, before the watermark at {text_of(place)}")
    elif lacking := _lacking(there.server, stored):
        yield _reset(there, place, f"it has not executed {lacking}, which the watermark at {text_of(place)} holds")
    elif there.files is not None and place.file not in there.files:
        oldest = min(there.files, key=lambda one: order(BinlogPlace(one, 0)), default="none")
        yield WatermarkError(
            f"connection {there.conn_id!r}: the server has removed {place.file} of its log, where the watermark lies at"
            f" {text_of(place)}; its oldest file is {oldest}. The changes between are lost, deletes among them. Have it"
            f" keep its log for longer than the time between two runs\n{there.anew}"
        )


def remade(there: There, place: BinlogPlace) -> WatermarkError:
    """Return the error for a log whose file is not the one that was read."""
    return _reset(there, place, f"{place.file} of its log is another file than the one that was read")


def takes_over(there: There, stored: Mapping[str, Any], place: BinlogPlace) -> Iterator[WatermarkError]:
    """Yield why another server can't continue the log of a watermark."""
    server, ours = there.server, stored.get("gtids")
    before, now = (_spelled(one) for one in (stored.get("server") or {}, server.identity))
    what = (
        f"connection {there.conn_id!r} leads to another server: {now}, the watermark at {text_of(place)} is of {before}"
    )
    if not ours or server.gtids is None or is_another_family(ours, mariadb=server.mariadb):
        side = "the watermark has none of this kind" if server.gtids is not None else "the server has none"
        yield WatermarkError(
            f"{what}. Point it back to that server: only transactions with GTIDs can be found in another one's log, and"
            f" {side}\n{there.anew}"
        )
    elif lacking := _lacking(server, stored):
        yield WatermarkError(
            f"{what}, and it lacks {lacking}, which was read there: it has executed {server.gtids or 'nothing'}, the"
            f" watermark {ours}. Point the connection to a server that has everything, or wait for its replication"
            f"\n{there.anew}"
        )


def another_history(there: There, ours: Gtids, *, same: bool | None) -> Iterator[WatermarkError]:
    """Yield that a server of MariaDB has other transactions under the same GTIDs, which do not say who gave them.

    Args:
        there: what there is now.
        ours: GTIDs that were read.
        same: whether it has a transaction that was read; None if its log does not say so.
    """
    unknown = _never_replicated(there.server, ours, wrote=same is True)
    if there.server.mariadb and (same is False or unknown):
        why = f"it has never replicated in domain {unknown}" if unknown else "its log has other ones under them"
        yield WatermarkError(
            f"connection {there.conn_id!r} leads to another server, {_spelled(there.server.identity)}, which has all"
            f" numbers of the GTIDs that were read, {ours}, but not those transactions: {why}. Point the connection"
            f" back\n{there.anew}"
        )


def purged(there: There, ours: Gtids, theirs: object) -> WatermarkError:
    """Return the error for a server that has removed transactions that a watermark lacks."""
    return WatermarkError(
        f"connection {there.conn_id!r} leads to another server, which has removed a part of its log that this stream"
        f" has not read: its oldest file begins behind {theirs}, the watermark holds {ours}. The changes between are"
        f" lost, deletes among them\n{there.anew}"
    )


def _reset(there: There, place: BinlogPlace, why: str) -> WatermarkError:
    return WatermarkError(
        f"connection {there.conn_id!r}: {why}. Its log was reset (RESET MASTER), or the server was restored from an"
        f" older copy, or lost the end of its log in a crash (sync_binlog): what was changed behind {text_of(place)}"
        f" can't be distinguished from what was sent\n{there.anew}"
    )


def _lacking(server: LogServer, stored: Mapping[str, Any]) -> str:
    ours = stored.get("gtids")
    if not isinstance(ours, str) or server.gtids is None or is_another_family(ours, mariadb=server.mariadb):
        return ""
    mine, theirs = (parsed(one, mariadb=server.mariadb) for one in (ours, server.gtids))
    return str(mine.missing(theirs)) if mine.missing(theirs) else ""


def _never_replicated(server: LogServer, ours: Gtids, *, wrote: bool) -> str:
    """Return a domain of the watermark that a MariaDB server has not taken over from another one.

    Args:
        server: that is looked at.
        ours: GTIDs that were read.
        wrote: whether a server whose ID they hold may have written them itself, since its log has such a transaction
            at that time. An equal number at an equal second alone may be chance.
    """
    if not isinstance(ours, GtidState):
        return ""
    own = {domain for domain, writer, _ in ours if wrote and str(writer) == server.variables.get("server_id")}
    replicated = parsed(server.variables.get("gtid_slave_pos", ""), mariadb=True).highest()
    return next((str(domain) for domain in sorted(ours.highest()) if domain not in {*replicated, *own}), "")


def _spelled(identity: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in identity.items())
