"""How long the server keeps its binlog: shorter than the time between two runs, changes are lost."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from airflow_legacy_events.databases.mysql.changelog.server import LogServer
from airflow_legacy_events.databases.mysql.changelog.session import DENIED, LogSession

_RDS = "SELECT value FROM mysql.rds_configuration WHERE name = 'binlog retention hours'"
_UNKNOWN = frozenset({1049, 1054, 1146})
_HOUR, _DAY = 3_600, 86_400


class Rds(NamedTuple):
    """Retention of a server that Amazon manages: None if it removes its log at once."""

    hours: float | None


def find_rds(session: LogSession) -> Rds | None:
    """Return what `mysql.rds_configuration` says; None where there is no such table, or this user may not read it."""
    rows = session.try_to("looking how long the binlog is kept", _RDS, but=DENIED | _UNKNOWN)
    if rows is None:
        return None
    value = str(rows[0][0] if rows and rows[0][0] is not None else "")
    return Rds(float(value) if value.replace(".", "", 1).isdecimal() else None)


def warnings(server: LogServer, rds: Rds | None, interval_seconds: float | None) -> Iterator[str]:
    """Yield why changes between two runs may be lost.

    Args:
        server: with its settings.
        rds: what Amazon's own table says, which overrides the settings.
        interval_seconds: between two runs; None if unknown.
    """
    if rds is not None:
        if rds.hours is None or (interval_seconds is not None and rds.hours * _HOUR < interval_seconds):
            wanted = max(24, math.ceil(2 * (interval_seconds or 0) / _HOUR))
            kept = "removed at once" if rds.hours is None else f"kept for {rds.hours:g} h"
            yield (
                f"the binlog is {kept} ('binlog retention hours' of mysql.rds_configuration), so changes between two"
                f" runs are lost\nCALL mysql.rds_set_configuration('binlog retention hours', {wanted})"
            )
        return
    name, seconds = _kept(server)
    if interval_seconds is not None and seconds is not None and seconds < interval_seconds:
        wanted = max(_DAY, math.ceil(2 * interval_seconds))
        value = wanted if name == "binlog_expire_logs_seconds" else math.ceil(wanted / _DAY)
        yield (
            f"the binlog is kept for {seconds:g} s ({name}), shorter than the schedule's interval of"
            f" {interval_seconds:g} s: changes between two runs are lost\nSET GLOBAL {name} = {value}"
        )


def bound_by_size(server: LogServer) -> Iterator[str]:
    """Yield that the log is bound by its size, which says nothing of how long it is kept; for a first run."""
    if (most := server.variables.get("max_binlog_total_size", "0")) != "0":
        yield (
            f"the binlog is bound by its size (max_binlog_total_size = {most}): if more is written between two runs,"
            " changes are lost\nSET GLOBAL max_binlog_total_size = 0"
        )


def _kept(server: LogServer) -> tuple[str, float | None]:
    """Return the setting that says how long the log is kept, and its seconds; None if it is kept for good."""
    if server.text("binlog_expire_logs_auto_purge") in ("OFF", "0"):
        return "binlog_expire_logs_auto_purge", None
    units = {"binlog_expire_logs_seconds": 1, "expire_logs_days": _DAY}
    for name, unit in units.items():
        if seconds := float(server.variables.get(name) or 0) * unit:
            return name, seconds
    return "", None
