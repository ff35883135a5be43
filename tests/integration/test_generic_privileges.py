"""Rights on a generic database: what is missing is named, of the source, of an outbox and of the table of locks."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import LegacyEventsError
from tests.support.legacy import reused_database
from tests.support.outbox import Drain
from tests.support.streams import Deliveries

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "connections.md").read_text()
(LOCKS,) = re.findall(r"^(GRANT .* ON legacy_events_locks TO reader);$", PAGE, re.MULTILINE)
RIGHTS = re.fullmatch(r"GRANT (.*) ON .*", LOCKS)[1].split(", ")


@pytest.fixture
def legacy(request):
    with reused_database(request, "firebird") as found:
        found.execute("CREATE TABLE orders (id integer PRIMARY KEY)")
        found.execute("INSERT INTO orders VALUES (1)")
        run(found, "SYSDBA")  # makes the table of locks
        yield found


def run(legacy, user="READER"):
    url = legacy.url.set(username=user).render_as_string(hide_password=False)
    options = {"watermark_columns": ("id",)}
    return Deliveries(url=url, broker=MemoryBroker(), topic="topic", options=options).run()


def drain(legacy, mode):
    url = legacy.url.set(username="READER").render_as_string(hide_password=False)
    return Drain(url, MemoryBroker(), arguments={"after_publish": mode}).run()


def named(text):
    return [line.replace('"', "") for line in str(text).splitlines() if line.startswith("GRANT ")]


def error_of(work, *args):
    with pytest.raises(LegacyEventsError) as refused:
        work(*args)
    return str(refused.value)


def test_select_on_what_is_read_is_named(legacy):
    legacy.execute(LOCKS)
    assert named(error_of(run, legacy)) == ["GRANT SELECT ON ORDERS TO READER"]


@pytest.mark.parametrize("right", RIGHTS)
def test_each_right_on_the_locks_that_is_taken_away_is_named(legacy, caplog, right):
    legacy.execute("GRANT SELECT ON orders TO reader")
    legacy.execute(LOCKS)
    assert run(legacy).events == 1
    legacy.execute(f"REVOKE {right} ON legacy_events_locks FROM reader")
    if right == "DELETE":  # the run is over by then, and the next one waits for a row that stays
        with caplog.at_level(logging.WARNING):
            assert run(legacy).events == 1
        said = caplog.text
    else:
        said = error_of(run, legacy)
    assert LOCKS.replace("reader", "READER") in said.splitlines()


@pytest.mark.parametrize(
    ("mode", "rights"), [("delete", ["SELECT", "DELETE"]), ("mark", ["SELECT", "UPDATE (published_at)"])]
)
def test_each_right_on_an_outbox_that_is_taken_away_is_named(legacy, mode, rights):
    legacy.execute(
        "CREATE TABLE outbox (id integer PRIMARY KEY, aggregatetype varchar(9) NOT NULL,"
        " aggregateid varchar(9) NOT NULL, type varchar(9) NOT NULL, payload varchar(9), published_at timestamp)"
    )
    legacy.execute("INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload) VALUES (1, 'o', '1', 'p', '{}')")
    legacy.execute(LOCKS)
    for right in rights:
        legacy.execute(f"GRANT {right} ON outbox TO reader")
    for right in rights:
        legacy.execute(f"REVOKE {right} ON outbox FROM reader")
        error = error_of(drain, legacy, mode)
        assert f"GRANT {right} ON outbox TO reader".upper() in [one.upper() for one in named(error)], error
        legacy.execute(f"GRANT {right} ON outbox TO reader")
    assert drain(legacy, mode).events == 1
