"""Guards of PostgreSQL's change log: whether it goes on where a watermark ends, and what is made on a first run."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from unittest import mock

import psycopg
import pytest

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model import LogPosition, TableName
from airflow_legacy_events.databases.postgres.changelog import making, occupied
from airflow_legacy_events.databases.postgres.changelog.slot import oldest_transaction
from tests.services.base import wait_until
from tests.support.engines import of
from tests.support.slots import LoggedDatabase, drop_slots, logged_database, statements_in

ORDERS = "CREATE TABLE orders (id integer PRIMARY KEY, t text)"
EACH = of("postgresql", also=("postgresql-15",))
NEW = of("postgresql")
INSERT = "INSERT INTO orders VALUES ({}, 'x')"


@pytest.fixture(params=EACH)
def each(request: pytest.FixtureRequest) -> Iterator[LoggedDatabase]:
    with logged_database(request, request.param, ORDERS) as found:
        yield found


@pytest.fixture(params=NEW)
def logged(request: pytest.FixtureRequest) -> Iterator[LoggedDatabase]:
    with logged_database(request, request.param, ORDERS) as found:
        yield found


def test_a_first_run_makes_a_publication_that_names_its_stream_and_then_a_slot(each):
    each.begin()
    plugin, confirmed, active = each.slot() or ()
    assert (plugin, confirmed, active) == ("pgoutput", each.position.place, False)
    [(comment, truncate, root)] = each.execute(
        f"SELECT obj_description(oid), pubtruncate, pubviaroot FROM pg_publication WHERE pubname = '{each.name}'"
    )
    assert f'"stream": "{each.stream}", "dag": "orders_dag", "slot": "{each.name}"' in comment
    assert (truncate, root) == (True, False)
    if each.legacy.engine.name == "postgresql-18":
        kept = "SELECT failover FROM pg_replication_slots WHERE slot_name = pubname"
        assert each.execute(f"SELECT pubgencols, ({kept}) FROM pg_publication") == [("s", True)]
    each.execute(INSERT.format(1))
    assert each.run() == [("c", "1", "x")]
    assert each.run() == []
    assert each.slot()[1] == each.position.place


def test_an_unlimited_slot_is_warned_of_on_the_first_run_alone(logged, caplog):
    logged.begin()
    [said] = [one for one in caplog.messages if "max_slot_wal_keep_size is -1" in one]
    assert said.splitlines()[1] == "ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'; SELECT pg_reload_conf()"
    caplog.clear()
    logged.run()
    assert not caplog.messages


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("killed", ["before the publication", "before the slot", "before the save"])
def test_what_a_killed_first_run_left_is_taken_over(logged, killed, given):
    logged.given = given
    if given:
        logged.execute(f"CREATE PUBLICATION {logged.name} FOR TABLE orders")
    with logged.log() as log:
        logged.stored = log.open()
        if killed == "before the slot" and not given:
            making.publish(log.change_log._session, log.change_log._options, log.change_log._oids(log.tables))
        if killed == "before the save":
            log.change_log.begin(log.tables)
    before = logged.slot()
    logged.execute(INSERT.format(1))
    with logged.log() as log:
        log.begin()
    assert logged.execute("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()") == [(1,)]
    assert before is None or logged.position.place == before[1]
    assert logged.run() == ([("c", "1", "x")] if killed == "before the save" else [])


def test_a_table_that_came_after_a_killed_first_run_is_waited_for(logged):
    logged.begin()
    logged.stored, logged.position = {}, None
    logged.execute("CREATE TABLE more (id integer PRIMARY KEY)")
    with open_writer(logged, "INSERT INTO more VALUES (1)") as writer:
        ended = threading.Timer(0.3, writer.commit)
        ended.start()
        logged.begin()
        ended.join()
    logged.execute("INSERT INTO more VALUES (2)")
    assert ("c", "2") in logged.run()


@contextlib.contextmanager
def open_writer(logged: LoggedDatabase, *statements: str) -> Iterator[psycopg.Connection]:
    """Another session of the application, in a transaction in which statements ran."""
    with contextlib.closing(logged.legacy.connect()) as writer:
        writer.autocommit = False
        for one in statements:
            writer.execute(one)
        yield writer


def oldest_is(logged: LoggedDatabase, who: str) -> None:
    """Wait until those that other tests have begun before have ended."""
    wait_until(lambda: str(oldest_transaction(logged.legacy.connection).told()).startswith(who), f"{who} being oldest")


def test_a_slot_is_waited_for_no_longer_than_a_statement_and_the_oldest_transaction_is_named(logged):
    with open_writer(logged, INSERT.format(1)) as writer:
        oldest_is(logged, f"pid {writer.info.backend_pid}, ")
        logged.timeout = 0.5
        with logged.log() as log:
            log.open()
            with pytest.raises(SourceError) as caught:
                log.change_log.begin(log.tables)
        said = str(caught.value).splitlines()
        assert "was not made within 0.5 s" in said[0]
        assert f"The oldest: pid {writer.info.backend_pid}, user postgres" in said[0]
    assert logged.slot() is None


def test_a_forgotten_prepared_transaction_is_named_by_its_gid(logged):
    with open_writer(logged, INSERT.format(1), f"PREPARE TRANSACTION '{logged.name}'"):
        oldest_is(logged, f"prepared transaction '{logged.name}'")
        logged.timeout = 0.5
        with logged.log() as log:
            log.open()
            with pytest.raises(SourceError) as caught:
                log.change_log.begin(log.tables)
        said = str(caught.value).splitlines()
        assert f"prepared transaction '{logged.name}', user postgres, since" in said[0]
        logged.execute(*statements_in(said))
    logged.timeout = 60
    logged.stored = {}
    logged.begin()


def test_a_slot_or_publication_of_a_stream_without_a_watermark_is_refused(logged):
    logged.execute(f"SELECT pg_create_logical_replication_slot('{logged.name}', 'pgoutput')")
    logged.execute(f"CREATE PUBLICATION {logged.name} FOR TABLE orders")
    said = logged.check()
    assert said[0] == "2 problems were found before anything was read:"
    logged.execute(*statements_in(said))
    assert logged.check() == []


def test_pieces_of_another_stream_are_refused(logged):
    logged.begin()
    logged.stored, logged.position = {}, None
    logged.execute(f"COMMENT ON PUBLICATION {logged.name} IS 'mine'")
    [first, *_] = logged.check()
    assert f"publication '{logged.name}' is there already (not ours)" in first


def refused(logged: LoggedDatabase, says: str) -> list[str]:
    """Check that a run is refused and acknowledges nothing."""
    before = logged.slot()
    said = logged.check()
    assert says in "\n".join(said), said
    assert logged.slot() == before
    return said


def test_a_slot_that_is_gone_is_not_made_again(each):
    each.begin()
    drop_slots(each.execute)
    assert "slots drop" in refused(each, "is gone from the server")[1]


def test_a_slot_that_was_made_again_is_refused(each):
    each.begin()
    drop_slots(each.execute)
    each.execute(INSERT.format(1), f"SELECT pg_create_logical_replication_slot('{each.name}', 'pgoutput')")
    refused(each, "beyond the watermark at")


def test_a_slot_that_somebody_else_advanced_is_refused(logged):
    logged.begin()
    logged.execute(INSERT.format(1))
    logged.execute(f"SELECT pg_replication_slot_advance('{logged.name}', pg_current_wal_flush_lsn())")
    refused(logged, "somebody else read or advanced it")


@pytest.mark.parametrize("plugin", ["test_decoding", None])
def test_a_slot_of_another_kind_is_refused(logged, plugin):
    logged.begin()
    drop_slots(logged.execute)
    kind, rest = ("logical", f", '{plugin}'") if plugin else ("physical", "")
    logged.execute(f"SELECT pg_create_{kind}_replication_slot('{logged.name}'{rest})")
    try:
        refused(logged, f"of plugin '{plugin}'" if plugin else "is a physical one")
    finally:
        logged.execute(f"SELECT pg_drop_replication_slot('{logged.name}')")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"system_identifier": "1"}, "leads to another server"),
        ({"database": "other"}, "leads to database"),
        ({"timeline": "9"}, "on the later 9"),
    ],
)
def test_another_server_is_refused(logged, changed, says):
    logged.begin()
    logged.stored = {**logged.stored, "server": {**logged.stored["server"], **changed}}
    refused(logged, says)


def test_a_server_whose_log_ends_before_the_watermark_is_refused(logged):
    logged.begin()
    logged.position = LogPosition("FFFF/0")
    refused(logged, "restored from an older copy")


def test_facts_of_an_earlier_release_are_filled_in(logged):
    logged.begin()
    logged.stored = {}
    assert logged.check() == []


def test_a_publication_that_was_made_again_is_refused(each):
    each.begin()
    each.execute(f"DROP PUBLICATION {each.name}")
    refused(each, "is gone, and is not made again")
    each.execute(f"CREATE PUBLICATION {each.name} FOR TABLE orders")
    refused(each, "was dropped and made again (oid")


def test_a_table_that_was_taken_out_is_put_back_and_read_anew(each):
    each.begin()
    each.execute(f"ALTER PUBLICATION {each.name} DROP TABLE orders", INSERT.format(1))
    said = refused(each, "is no longer in publication")
    each.execute(*statements_in(said))
    said = refused(each, "taken out of the publication and put back")
    assert (
        said[1]
        == 'Run the task once with the configuration {"snapshot": ["public.orders"]}, which reads the table again'
    )
    renewed = [TableName("public", "orders")]
    with open_writer(each, INSERT.format(9)) as writer:
        each.timeout = 0.5
        assert f"pid {writer.info.backend_pid}, user postgres" in each.check(renewed)[0]
    each.timeout = 60
    assert each.check(renewed) == []


def test_a_table_that_was_made_again_is_read_anew(logged):
    logged.begin()
    logged.execute("DROP TABLE orders", ORDERS, f"ALTER PUBLICATION {logged.name} ADD TABLE orders")
    refused(logged, "was dropped and made again")
    assert logged.check(renewed=[TableName("public", "orders")]) == []


def test_a_publication_that_was_altered_is_set_back(each):
    each.begin()
    each.execute(f"ALTER PUBLICATION {each.name} SET (publish = 'insert', publish_via_partition_root = true)")
    said = refused(each, "was altered: by_root, operations")
    each.execute(*statements_in(said))
    assert each.check() == []


@pytest.mark.parametrize("change", ["WHERE (id > 1)", "(id)"])
def test_a_row_filter_or_column_list_that_came_later_is_refused_in_a_given_publication(logged, change):
    logged.execute(f"CREATE PUBLICATION {logged.name} FOR TABLE orders")
    logged.given = True
    logged.begin()
    logged.execute(f"ALTER PUBLICATION {logged.name} SET TABLE orders {change}")
    said = refused(logged, "in publication")
    logged.execute(*statements_in(said))
    refused(logged, "taken out of the publication and put back")


def test_a_row_filter_in_our_own_publication_is_refused(logged):
    logged.begin()
    logged.execute(f"ALTER PUBLICATION {logged.name} SET TABLE orders WHERE (id > 1)")
    assert "the row filter (id > 1)" in logged.check(renewed=[TableName("public", "orders")])[0]


@pytest.mark.parametrize("argument", ["slot", "publication"])
def test_another_name_than_the_watermark_has_is_refused(logged, argument):
    logged.begin()
    other = "other" if argument == "slot" else {**logged.stored["publication"], "name": "other"}
    logged.stored = {**logged.stored, argument: other}
    assert f"Give {argument}='other'" in refused(logged, f"is of {argument} 'other'")[0]


def test_an_identity_that_is_lost_later_makes_the_run_red(logged):
    logged.begin()
    logged.execute("ALTER TABLE orders REPLICA IDENTITY NOTHING")
    refused(logged, "has no replica identity")


def test_a_table_joins_once_those_who_wrote_to_it_have_ended(each):
    each.begin()
    each.execute("CREATE TABLE more (id integer PRIMARY KEY) PARTITION BY RANGE (id)")
    each.execute("CREATE TABLE more_1 PARTITION OF more FOR VALUES FROM (1) TO (9)")
    gid = f"{each.name}_2"
    with (
        open_writer(each, "INSERT INTO more_1 VALUES (1)") as writer,
        open_writer(each, "INSERT INTO more VALUES (2)", f"PREPARE TRANSACTION '{gid}'"),
        each.log() as log,
    ):
        log.open()
        [more] = [one for one in log.tables if one.name.name == "more"]
        joined = threading.Event()
        thread = threading.Thread(target=lambda: (log.change_log.join([more]), joined.set()))
        thread.start()
        wait_until(lambda: each.execute("SELECT count(*) FROM pg_publication_rel") == [(2,)], "joining")
        each.execute("INSERT INTO more VALUES (3)")  # a later writer is not waited for
        assert not joined.is_set()
        writer.commit()
        assert not joined.is_set()
        each.execute(f"COMMIT PREPARED '{gid}'")
        thread.join(20)
        assert joined.is_set()
        each.stored = log.change_log.facts()
    each.execute("INSERT INTO more VALUES (4)")
    assert {("c", "3"), ("c", "4")} <= set(each.run())


def test_a_table_that_is_left_out_leaves_our_publication_and_may_lose_its_identity(logged):
    logged.execute("CREATE TABLE more (id integer PRIMARY KEY)", "INSERT INTO more VALUES (1)")
    logged.begin()
    logged.execute("ALTER TABLE more DROP CONSTRAINT more_pkey", "ALTER TABLE more ALTER id DROP NOT NULL")
    logged.keys = {"public.more": ("id",)}
    assert "or leave the table out" in refused(logged, "has no replica identity")[0]
    logged.patterns, logged.keys = ("public.orders",), {}
    logged.execute(INSERT.format(1))
    assert logged.run() == [("c", "1", "x")]
    logged.execute("UPDATE more SET id = 2", "DELETE FROM more", "ALTER TABLE more ADD PRIMARY KEY (id)")
    logged.patterns = ("public.*",)
    with logged.log() as log:
        log.open()
        log.change_log.join(log.tables)
        logged.stored = log.change_log.facts()
    logged.execute("INSERT INTO more VALUES (3)")
    assert logged.run() == [("c", "3")]


def test_a_given_publication_is_never_altered(logged):
    logged.execute(
        "CREATE TABLE more (id integer PRIMARY KEY)", f"CREATE PUBLICATION {logged.name} FOR TABLE orders, more"
    )
    logged.given, logged.patterns = True, ("public.orders",)
    logged.begin()
    logged.execute(INSERT.format(1))
    assert logged.run() == [("c", "1", "x")]
    assert logged.execute("SELECT count(*) FROM pg_publication_rel") == [(2,)]


def test_a_writer_that_does_not_end_is_named(logged):
    logged.begin()
    logged.execute("CREATE TABLE more (id integer PRIMARY KEY)")
    with open_writer(logged, "INSERT INTO more VALUES (1)") as writer:
        logged.timeout = 0.5
        with logged.log() as log:
            log.open()
            with pytest.raises(SourceError) as caught:
                log.change_log.join(log.tables)
        assert f"pid {writer.info.backend_pid}, user postgres" in str(caught.value)


def test_a_walsender_that_an_earlier_run_left_is_ended(logged):
    logged.begin()
    logged.execute(INSERT.format(1))
    with logged.log() as left:
        left.open()
        chunks = left.change_log.read(logged.position, left.change_log.end(), 10)
        for _ in chunks:
            pass
        assert logged.slot()[2]
        with mock.patch.object(occupied, "LEFTOVER_SECONDS", 0.0):
            assert logged.check() == []
    assert not logged.slot()[2]


def test_after_a_major_upgrade_a_stream_that_had_read_everything_goes_on_without_its_rows(each):
    """By a dump, which brings the publication along, and neither slot nor system identifier."""
    each.begin()
    each.execute(INSERT.format(1))
    assert each.run() == [("c", "1", "x")]
    drop_slots(each.execute)
    each.stored = {**each.stored, "server": {**each.stored["server"], "system_identifier": "1"}}
    said = each.check()
    assert said[1].startswith("After a major upgrade, if writers were stopped until this stream had read everything:")
    assert f"`airflow legacy-events slots drop {each.name} --conn-id crm`" in said[1]
    database = each.legacy.database()
    with contextlib.closing(database.slots()) as slots:
        slots.drop(each.name)
    database.close()
    each.stored = each.position = None
    each.begin()
    each.execute(INSERT.format(2))
    assert each.run() == [("c", "2", "x")]
