"""Settings of a PostgreSQL server that its change log needs: what is said of those that no server of the tests has."""

from __future__ import annotations

import pytest

from airflow_legacy_events.databases.postgres.changelog.settings import Settings, faults, warnings

FINE = Settings(
    standby=False,
    wal_level="logical",
    user="crm",
    database="shop",
    may_create=True,
    slots=10,
    used=0,
    idle=(),
    senders=10,
    keeps="50GB",
    idle_seconds=0,
    feeds_back=True,
    provider=None,
)


def said(
    version: int = 180_000, interval: float | None = None, *, makes_slot: bool = True, **found: object
) -> list[str]:
    settings = FINE._replace(**found)
    return [str(one) for one in faults(settings, version, interval, makes_slot=makes_slot)]


def test_a_server_that_has_everything_is_fine() -> None:
    assert said(interval=60.0) == list(warnings(FINE, "s")) == []


def test_old_servers_are_refused() -> None:
    assert "the server is PostgreSQL 13" in said(130_022)[0]
    assert "let the connection lead to its primary" in said(150_018, standby=True)[0]
    assert said(160_000, standby=True) == []


@pytest.mark.parametrize(
    ("provider", "says"),
    [
        (None, "ALTER SYSTEM SET wal_level = 'logical'\nThen restart the server"),
        ("rds", "Set rds.logical_replication = 1 in the"),
        ("cloudsql", "Set the flag cloudsql.logical_decoding = on"),
        ("azure", "Set the server parameter wal_level = logical"),
    ],
)
def test_a_wal_level_is_mended_as_the_provider_lets_it(provider: str | None, says: str) -> None:
    [found] = said(wal_level="replica", provider=provider)
    assert says in found


def test_slots_that_nobody_uses_are_named_where_none_is_free() -> None:
    assert said(used=10, makes_slot=False) == []
    [found] = said(used=10, idle=("old", "older"))
    lines = found.splitlines()
    assert "ALTER SYSTEM SET max_replication_slots = '20'" in lines
    assert lines[-2:] == ["SELECT pg_drop_replication_slot('old')", "SELECT pg_drop_replication_slot('older')"]


@pytest.mark.parametrize(("idle", "interval", "wrong"), [(0, 1e9, False), (3600, None, False), (3600, 7200, True)])
def test_a_slot_must_not_be_invalidated_between_two_runs(idle: float, interval: float | None, wrong: bool) -> None:
    assert bool(said(interval=interval, idle_seconds=idle)) == wrong


def test_what_may_cost_a_disk_or_a_slot_is_warned_of() -> None:
    [disk, slot] = warnings(
        FINE._replace(keeps="-1", standby=True, feeds_back=False, provider="rds"), "legacy_events_s"
    )
    assert disk.splitlines()[1] == "Set max_slot_wal_keep_size = 50GB in the provider's parameters of the server"
    assert "hot_standby_feedback is off" in slot
