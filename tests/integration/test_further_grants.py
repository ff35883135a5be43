"""The further GRANTs that the page of privileges prints: what each shows, without it and with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import LegacyEventsError
from tests.integration.test_privileges import FURTHER, PRINTED, TITLES
from tests.support.grants import spelled
from tests.support.legacy import legacy_database
from tests.support.outbox import Drain, create_outbox
from tests.support.readers import ENGINES, Reader
from tests.support.streams import Deliveries

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "h", "pid": 1}

OTHER = {**HOLDER, "run": "r2"}


def stream(reader, table="orders", **options):
    url = reader.url.render_as_string(hide_password=False)
    options = {"watermark_columns": ("id",), "key_columns": ("id",), **options}
    return Deliveries(url=url, broker=MemoryBroker(), topic="topic", table=table, options=options)


def newest_deleted(reader, log=None, table="orders"):
    """What a run says after every row that was delivered is gone."""
    one = stream(reader, table)
    reader.legacy.execute(f"INSERT INTO {table} (body) VALUES ('a')")
    one.run()
    reader.legacy.execute(f"DELETE FROM {table}")
    return one.run().completeness_reason


def newest_deleted_elsewhere(reader, log):
    return newest_deleted(reader, log, "shop.orders")


def view(reader, log):
    return stream(reader, "open_orders").run().completeness_reason


def load_of_view(reader, log):
    report = stream(reader, "open_orders", watermark_columns=()).run()
    return f"{report.completeness}: {report.completeness_reason}"


def drained(reader, log):
    """What a drain logs."""
    log.clear()
    Drain(reader.url, MemoryBroker(), arguments={"after_publish": "mark"}).run()
    return log.text


def locked_by_another(reader, log):
    legacy = reader.legacy
    ours = legacy.database()
    theirs = legacy.engine.made(reader.url, conn_id="crm", statement_timeout_seconds=30)
    try:
        with (
            ours.lock("s", HOLDER),
            pytest.raises(LegacyEventsError) as busy,
            theirs.lock("s", {**HOLDER, "run": "r2"}),
        ):
            pass
    finally:
        ours.close()
        theirs.close()
    return str(busy.value)


class Further(NamedTuple):
    """What a GRANT shows.

    Attributes:
        look: what a user sees, in words.
        says: what stands there only without the GRANT.
        shows: what stands there only with it.
        mode: whose GRANTs the user has, of those that the page prints.
        also: further ones that it has before.
    """

    look: Callable[[Reader, pytest.LogCaptureFixture], str]
    says: str = "{grant}"
    shows: str = ""
    mode: str = "query"
    also: tuple[str, ...] = ()


VIEW = ("GRANT SELECT ON {db}open_orders TO reader",)
SHOWN = "GRANT SHOW VIEW ON crm.open_orders TO reader"
SEQUENCE = "GRANT SELECT ON SEQUENCE orders_id_seq TO reader"
SHOP = (
    "GRANT CONNECT ON DATABASE crm TO reader",
    "GRANT USAGE ON SCHEMA shop TO reader",
    "GRANT SELECT ON shop.orders TO reader",
    "GRANT SELECT ON SEQUENCE shop_ids TO reader",
)
FOUND = {
    "postgresql": {
        SEQUENCE: Further(newest_deleted),
        "GRANT USAGE ON SCHEMA public TO reader": Further(newest_deleted_elsewhere, mode="", also=SHOP),
        "GRANT EXECUTE ON FUNCTION pg_catalog.pg_get_viewdef(oid) TO reader": Further(view, also=VIEW),
    },
    "mysql": {
        SHOWN: Further(load_of_view, also=VIEW),
        "GRANT SELECT ON crm.orders TO reader": Further(
            load_of_view, "best_effort: ", "exact: ", mode="", also=(*VIEW, SHOWN)
        ),
        "GRANT REPLICATION CLIENT ON *.* TO reader": Further(drained, mode="outbox, mark"),
        "GRANT SLAVE MONITOR ON *.* TO reader": Further(drained, mode="outbox, mark"),
        "GRANT PROCESS ON *.* TO reader": Further(
            locked_by_another, "of a database user that cant be seen", "of database user {admin}"
        ),
        "GRANT REFERENCES ON crm.* TO reader": Further(drained, mode="outbox, mark"),
        "GRANT TRIGGER ON crm.outbox TO reader": Further(drained, mode="outbox, mark"),
    },
}
ELSEWHERE = {"GRANT pg_read_all_stats TO reader"}
"""Shown on a standby, in `test_postgres_server`."""

NOT_THERE = {
    "mariadb": {"GRANT REPLICATION CLIENT ON *.* TO reader", "GRANT TRIGGER ON crm.outbox TO reader"},
    "mysql": {"GRANT SLAVE MONITOR ON *.* TO reader"},
}
"""Of other releases, as the page says."""

CASES = [
    (name, grant)
    for name in ENGINES
    for grant in FOUND[name.split("-")[0].replace("mariadb", "mysql")]
    if grant not in NOT_THERE.get(name.split("-")[0], ())
]


@pytest.mark.parametrize("dialect", FOUND)
def test_every_further_right_that_is_printed_is_tried(dialect):
    assert set(FURTHER[TITLES[dialect]]) - ELSEWHERE == FOUND[dialect].keys()


@pytest.mark.parametrize(("engine", "grant"), CASES)
def test_a_further_right_shows_what_the_page_says(request, caplog, engine, grant):
    with legacy_database(request, engine) as legacy:
        key = {"postgresql": "bigserial PRIMARY KEY", "mysql": "bigint AUTO_INCREMENT PRIMARY KEY"}[legacy.dialect]
        legacy.execute(f"CREATE TABLE orders (id {key}, body varchar(9))")
        legacy.execute("CREATE VIEW open_orders AS SELECT id, body FROM orders WHERE id < 100")
        create_outbox(legacy)
        if legacy.dialect == "postgresql":
            legacy.execute("REVOKE EXECUTE ON FUNCTION pg_catalog.pg_get_viewdef(oid) FROM public")
            legacy.execute("CREATE SCHEMA shop; CREATE SEQUENCE public.shop_ids")
            ids = "bigint DEFAULT nextval('public.shop_ids') PRIMARY KEY"
            legacy.execute(f"CREATE TABLE shop.orders (id {ids}, body text)")
        reader = Reader(legacy)
        try:
            compare(reader, grant, FOUND[legacy.dialect][grant], caplog)
        finally:
            reader.drop()


def compare(reader, grant, further, log):
    legacy = reader.legacy
    names = {"postgresql": "PostgreSQL", "mysql": "MySQL"}
    reader.may(PRINTED[f"{names[legacy.dialect]}, {further.mode}"] if further.mode else [])
    reader.may(one.format(db="crm." if legacy.dialect == "mysql" else "") for one in further.also)
    says = further.says.format(grant=grant.removesuffix(" TO reader"))
    shows = further.shows.format(admin=legacy.url.username)

    without = spelled(further.look(reader, log), reader)
    assert says in without
    assert not shows or shows not in without
    reader.may([grant])
    shown = spelled(further.look(reader, log), reader)
    assert says not in shown
    assert shows in shown
