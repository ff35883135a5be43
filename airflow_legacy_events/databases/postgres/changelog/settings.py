"""Settings of the server and rights of the user that a change log needs, each fault with the SQL that fixes it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.databases.postgres.changelog.session import LogSession

OLDEST = 140_000
"""First version whose change log is read."""

STANDBY_SINCE = 160_000
"""First version whose standbys can decode their log."""

_SETTINGS = """
SELECT pg_is_in_recovery(), current_setting('wal_level'), quote_ident(current_user), quote_ident(current_database()),
       has_database_privilege(current_database(), 'CREATE'),
       current_setting('max_replication_slots')::int, (SELECT count(*)::int FROM pg_replication_slots),
       ARRAY(SELECT slot_name::text FROM pg_replication_slots WHERE NOT active ORDER BY 1),
       current_setting('max_wal_senders')::int, coalesce(current_setting('max_slot_wal_keep_size', true), '-1'),
       extract(epoch FROM coalesce(current_setting('idle_replication_slot_timeout', true), '0')::interval)::float8,
       current_setting('hot_standby_feedback') = 'on',
       coalesce(
         (SELECT split_part(name, '.', 1) FROM pg_settings
           WHERE split_part(name, '.', 1) IN ('rds', 'cloudsql', 'azure') LIMIT 1),
         CASE WHEN current_setting('rds.logical_replication', true) IS NOT NULL THEN 'rds'
              WHEN current_setting('cloudsql.logical_decoding', true) IS NOT NULL THEN 'cloudsql'
              WHEN current_setting('azure.extensions', true) IS NOT NULL THEN 'azure' END)
"""
_RESTART = "\nThen restart the server"
_PROVIDERS = {
    "rds": (
        "rds.logical_replication = 1 in the instance's parameter group, and reboot it",
        "GRANT rds_replication TO {}",
    ),
    "cloudsql": ("the flag cloudsql.logical_decoding = on of the instance", "ALTER USER {} WITH REPLICATION"),
    "azure": ("the server parameter wal_level = logical, and restart it", "ALTER ROLE {} REPLICATION"),
}


class Settings(NamedTuple):
    """What the server says of itself and of this user.

    Attributes:
        standby: whether it is one.
        wal_level: the setting.
        user: as SQL spells it.
        database: as SQL spells it.
        may_create: whether the user may make a publication in the database.
        slots: how many there may be.
        used: how many there are.
        idle: names of the slots that no one uses.
        senders: how many sessions may replicate.
        keeps: `max_slot_wal_keep_size`, `-1` if it has no limit.
        idle_seconds: `idle_replication_slot_timeout`; 0 if there is none.
        feeds_back: `hot_standby_feedback`.
        provider: prefix of the settings of a managed server; None for others.
    """

    standby: bool
    wal_level: str
    user: str
    database: str
    may_create: bool
    slots: int
    used: int
    idle: Sequence[str]
    senders: int
    keeps: str
    idle_seconds: float
    feeds_back: bool
    provider: str | None

    def set(self, name: str, value: str, *, restart: bool = False) -> str:
        """Return how a setting of the server is changed: the statement, or the provider's way."""
        if self.provider is not None:
            return f"Set {name} = {value} in the provider's parameters of the server"
        statement = f"ALTER SYSTEM SET {name} = '{value}'"
        return f"{statement}{_RESTART}" if restart else f"{statement}; SELECT pg_reload_conf()"

    def grant(self) -> str:
        """Return the statement that lets the user replicate."""
        if self.provider is None:
            return f"ALTER ROLE {self.user} REPLICATION"
        return _PROVIDERS[self.provider][1].format(self.user)


def find_settings(session: LogSession) -> Settings:
    """Return the settings, in one round trip."""
    [row] = session.ask("looking at the server's settings", _SETTINGS)
    return Settings(*row)


def faults(
    found: Settings, version: int, interval_seconds: float | None, *, makes_slot: bool
) -> Iterator[ConfigurationError]:
    """Yield what keeps the log from being read.

    Args:
        found: the settings.
        version: of the server, in libpq's number format.
        interval_seconds: between two runs; None if unknown.
        makes_slot: whether a slot is still to be made.
    """
    if version < OLDEST:
        yield ConfigurationError(
            f"the server is PostgreSQL {version // 10_000}, whose change log is not read: it needs 14 or later. Use"
            " IncrementalQueryOperator"
        )
    if found.standby and version < STANDBY_SINCE:
        yield ConfigurationError(
            "the server is a standby, whose log can be read from PostgreSQL 16 on; let the connection lead to its"
            " primary"
        )
    if found.wal_level != "logical":
        yield _wal_level(found)
    if makes_slot and found.used >= found.slots:
        yield _no_slot(found)
    if interval_seconds is not None and 0 < found.idle_seconds < interval_seconds:
        wanted = f"{math.ceil(2 * interval_seconds / 60)}min"
        yield ConfigurationError(
            f"idle_replication_slot_timeout is {found.idle_seconds:g} s and the schedule's interval"
            f" {interval_seconds:g}"
            " s: between two runs the server would invalidate the slot, and with it the changes in between"
            f"\n{found.set('idle_replication_slot_timeout', wanted)}"
        )


def warnings(found: Settings, slot: str) -> Iterator[str]:
    """Yield what may cost the server its disk, or a standby its slot."""
    if found.keeps == "-1":
        yield (
            f"max_slot_wal_keep_size is -1: if this task stops running, the server keeps its log for slot {slot}"
            " until the"
            " disk is full. Bound it with what the disk can spare, such as"
            f"\n{found.set('max_slot_wal_keep_size', '50GB')}"
        )
    if found.standby and not found.feeds_back:
        yield (
            f"hot_standby_feedback is off on this standby: its primary may remove catalog rows that slot {slot}"
            " needs, which"
            f" loses it\n{found.set('hot_standby_feedback', 'on')}"
        )


def _wal_level(found: Settings) -> ConfigurationError:
    asked = f"wal_level is {found.wal_level!r}, and only 'logical' writes what the change log needs; nothing was read"
    if found.provider is not None:
        return ConfigurationError(f"{asked}\nSet {_PROVIDERS[found.provider][0]}")
    return ConfigurationError(f"{asked}\n{found.set('wal_level', 'logical', restart=True)}")


def _no_slot(found: Settings) -> ConfigurationError:
    unused = "".join(f"\nSELECT pg_drop_replication_slot('{name}')" for name in found.idle[:5])
    return ConfigurationError(
        f"all {found.slots} replication slots of the server are taken (max_replication_slots), and one is needed"
        f"\n{found.set('max_replication_slots', str(found.slots + 10), restart=True)}"
        + (f"\nOr drop one of those that no one uses, if it is no longer needed:{unused}" if unused else "")
    )
