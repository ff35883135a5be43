"""A database as the source of a connector: where its log ends, and what makes it move."""

from __future__ import annotations

from contextlib import closing

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from tests.support.binlogs import BINLOGGED, binlogged_database
from tests.support.engines import of
from tests.support.readers import connecting
from tests.support.slots import logged_database

POSTGRES = of("postgresql")


@pytest.fixture(params=[*POSTGRES, *BINLOGGED])
def legacy(request):
    made = logged_database if request.param in POSTGRES else binlogged_database
    with made(request, request.param) as found:
        yield found.legacy


@pytest.fixture
def database(legacy):
    with closing(legacy.database()) as made, closing(made.connected()) as found:
        yield found


def signal_table(legacy, name="signals"):
    schema = "public" if legacy.dialect == "postgresql" else legacy.url.database
    sign = '"' if legacy.dialect == "postgresql" else "`"
    legacy.execute(f"CREATE TABLE {sign}{name}{sign} (id varchar(42), type varchar(32), data varchar(2048))")
    return f"{schema}.{name}"


def test_a_row_that_was_committed_lies_below_the_end_of_the_log(legacy, database):
    table, before = signal_table(legacy), database.end()
    database.signal(table, "one", "log", '{"message": "x"}')
    after = database.end()

    assert before.order < after.order
    assert legacy.execute("SELECT * FROM signals") == [("one", "log", '{"message": "x"}')]
    assert database.database in ("", legacy.url.database)


def test_a_signal_table_of_any_name_is_written_and_granted(legacy, database):
    table = signal_table(legacy, "Sig%s {0} {}")
    database.signal(table, "one", "log", "{}")
    with (
        connecting(legacy) as user,
        closing(legacy.database(username=user.name)) as made,
        closing(made.connected()) as found,
    ):
        with pytest.raises(ConfigurationError, match="GRANT INSERT ON") as refused:
            found.signal(table, "two", "log", "{}")
        legacy.execute(str(refused.value).splitlines()[-1])
        found.signal(table, "two", "log", "{}")


def test_a_table_that_is_not_there_is_named_with_its_remedy(legacy, database):
    missing = signal_table(legacy).replace("signals", "nowhere")

    with pytest.raises(ConfigurationError, match="create it with the columns id, type and data"):
        database.signal(missing, "one", "log", "{}")


def test_a_user_without_the_right_is_shown_the_grant(legacy):
    table = signal_table(legacy)
    with (
        connecting(legacy) as user,
        closing(legacy.database(username=user.name)) as made,
        closing(made.connected()) as found,
    ):
        with pytest.raises(ConfigurationError, match="GRANT INSERT ON") as refused:
            found.signal(table, "one", "log", "{}")
        legacy.execute(str(refused.value).splitlines()[-1])
        found.signal(table, "one", "log", "{}")

    assert legacy.execute("SELECT id FROM signals") == [("one",)]


def test_the_end_of_the_log_takes_a_right_on_mysql_alone(legacy):
    with connecting(legacy) as user, closing(legacy.database(username=user.name)) as made:
        with closing(made.connected()) as found:
            if found.product != "mysql":
                assert found.end().order
                return
            with pytest.raises(ConfigurationError, match="GRANT REPLICATION CLIENT") as refused:
                found.end()
            legacy.execute(str(refused.value).splitlines()[-1])
        with closing(made.connected()) as again:  # a session keeps the rights with which it began
            assert again.end().order


def test_slots_publications_and_messages_are_those_of_postgresql(legacy, database):
    table = signal_table(legacy)
    if database.product != "postgresql":
        assert (database.slot("s"), database.emits(), database.published("p", table)) == (None, False, None)
        with pytest.raises(ConfigurationError, match="no logical messages: name a signal table"):
            database.emit("legacy-events", "x")
        return
    name = f"{legacy.url.database}_slot"
    legacy.execute("CREATE PUBLICATION signals_only FOR TABLE signals")
    legacy.execute(f"SELECT pg_create_logical_replication_slot('{name}', 'pgoutput')")
    try:
        slot, before = database.slot(name), database.end()
        database.emit("legacy-events", "x")
        assert (slot.database, slot.active, slot.lost) == (legacy.url.database, False, None)
        assert slot.restart.order <= slot.confirmed.order <= before.order < database.end().order
    finally:
        legacy.execute(f"SELECT pg_drop_replication_slot('{name}')")
    assert [
        database.published(*one) for one in (("signals_only", table), ("signals_only", "public.x"), ("none", table))
    ] == [
        True,
        False,
        None,
    ]
    assert database.slot(name) is None
