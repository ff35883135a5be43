"""How far a server of PostgreSQL is, as every role may ask, and when it is behind what was read before."""

from __future__ import annotations

import threading

import psycopg
import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.postgres import PostgresDatabase
from airflow_legacy_events.databases.postgres.undone import ask
from tests.services.base import wait_until
from tests.services.postgres import Postgres, Postgres18
from tests.support.engines import of
from tests.support.legacy import legacy_database
from tests.support.profile import LONG
from tests.support.standby import primary_and_standby

pytestmark = pytest.mark.xdist_group("postgres-server")  # its standby is made once
EARLIER = {"timeline": "1", "lsn": "0/28"}


@pytest.fixture(params=of("postgresql", also=("postgresql-15",)))
def legacy(request):
    with legacy_database(request, request.param) as found:
        yield found


@pytest.fixture
def reader(legacy):
    """A database as a role sees it that may only connect, and read what it is granted."""
    name = f"{legacy.url.database}_reader"
    legacy.execute(f"CREATE ROLE {name} LOGIN")
    database = legacy.database(username=name)
    yield database
    database.close()
    legacy.execute(f"DROP OWNED BY {name}; DROP ROLE {name}".encode())


def test_identity_is_of_server_timeline_and_database(legacy, reader):
    [(system,)] = legacy.execute("SELECT system_identifier::text FROM pg_control_system()")
    assert reader.identity() == {"system_identifier": system, "timeline": "1", "database": legacy.url.database}


def test_a_position_is_how_far_the_server_was_when_it_was_asked_who_it_is(legacy, reader):
    legacy.execute("SET synchronous_commit = on")
    reader.identity()
    legacy.execute("CREATE TABLE t (id integer)")
    before, after = reader.position(), reader.position()
    assert set(before) == {"system_identifier", "timeline", "lsn"}
    assert legacy.execute("SELECT %s::pg_lsn < %s::pg_lsn", before["lsn"], after["lsn"]) == [(True,)]
    assert reader.behind(before) is None
    assert reader.behind(after) is None


def test_a_primary_that_has_less_than_was_read_is_behind(reader):
    here = reader.position()
    why = reader.behind({**here, "lsn": "FFFFFFFF/0"})
    assert why == (
        f"the server is a primary at WAL {here['lsn']} on timeline 1, behind FFFFFFFF/0 on timeline 1 that was read"
        " before: it was promoted or restored from an older copy"
    ).replace(here["lsn"], reader.position()["lsn"])
    assert "behind FFFFFFFF/0 on timeline 2" in reader.behind({**here, "lsn": "FFFFFFFF/0", "timeline": "2"})


@pytest.mark.parametrize(
    "before",
    [
        {"gtid": "3E11FA47-71CA-11E1-9E33-C80AA9429562:23"},
        {"lsn": "FFFFFFFF/0"},
        {"system_identifier": "1", "timeline": "1", "lsn": "FFFFFFFF/0"},
        {"timeline": "1", "lsn": 5},
        {},
    ],
)
def test_what_another_server_told_is_not_compared(reader, before):
    assert reader.behind(before) is None


def test_where_a_function_is_refused_the_identity_is_known_and_the_position_is_not(legacy, reader):
    legacy.execute("REVOKE EXECUTE ON FUNCTION pg_current_wal_flush_lsn() FROM public")
    assert reader.identity()["timeline"] == "1"
    assert reader.position() is None
    assert reader.behind(EARLIER) is None


def test_inside_a_snapshot_the_answer_is_as_new_and_the_snapshot_stays(legacy, reader):
    legacy.execute("CREATE TABLE t (id integer)")
    legacy.execute(f"GRANT SELECT ON t TO {reader.url.username}")
    counted = sa.select(sa.func.count()).select_from(sa.table("t"))
    with reader.snapshot():
        assert reader.read(counted) == [("0",)]
        before = reader.position()
        legacy.execute("INSERT INTO t VALUES (1)")
        assert reader.position() != before
        assert reader.read(counted) == [("0",)]


@pytest.fixture(scope="module", params=(Postgres18, Postgres) if LONG else (Postgres,))
def pair(request):
    with primary_and_standby(request.param) as servers:
        yield servers


@pytest.fixture
def opened():
    made = []

    def database(server, seconds=30.0) -> PostgresDatabase:
        made.append(PostgresDatabase(sa.make_url(server.url()), conn_id="crm", statement_timeout_seconds=seconds))
        return made[-1]

    yield database
    for one in made:
        one.close()


def test_closing_ends_the_wait_for_a_standby(pair, opened):
    _, standby = pair
    database = opened(standby)
    ahead = {**database.position(), "lsn": "7/0"}
    found = []

    def wait() -> None:
        with pytest.raises(SourceError) as ended:
            database.behind(ahead)
        found.append(ended.value)

    waiting = threading.Thread(target=wait)
    waiting.start()
    database.close()
    waiting.join(10)
    assert len(found) == 1


def test_a_sequence_on_a_standby_is_trusted_once_it_has_gone_far_enough(pair, opened):
    primary, standby = pair
    primary.execute("CREATE TABLE numbered (id serial, v integer)")
    primary.execute("INSERT INTO numbered (v) VALUES (1)")
    standby.follow()
    assert "public.numbered_id_seq is seen 32 ids ahead" in opened(standby).next_id("numbered", "id").unknown
    assert opened(primary).next_id("numbered", "id").value == 2
    primary.execute("INSERT INTO numbered (v) SELECT generate_series(2, 40)")
    standby.follow()
    assert opened(standby).next_id("numbered", "id").value > 40
    primary.execute("TRUNCATE numbered RESTART IDENTITY")
    standby.follow()
    assert opened(standby).next_id("numbered", "id").value == 1


def test_which_server_is_the_primary_of_a_standby_is_shown_to_members_of_pg_read_all_stats(pair):
    primary, standby = pair
    primary.execute("CREATE TABLE shown (id integer); CREATE ROLE looker LOGIN; GRANT SELECT ON shown TO looker")
    standby.follow()
    url = sa.make_url(standby.url()).set(username="looker")
    found = []
    for grant in ("", "GRANT pg_read_all_stats TO looker"):
        if grant:
            primary.execute(grant)
            standby.follow()
        database = PostgresDatabase(url, conn_id="crm", statement_timeout_seconds=30)
        found.append(database.writes("shown"))
        database.close()
    without, shown = found
    assert (without.elsewhere, without.unknown) == (
        "this server is a standby",
        ("the host of its primary; GRANT pg_read_all_stats TO looker shows it",),
    )
    assert shown.elsewhere.startswith("this server is a standby, its primary is ")
    assert shown.unknown == ()


def test_a_standby_is_waited_for_and_one_that_was_promoted_behind_is_told(pair, opened):
    primary, standby = pair
    first, second = opened(primary), opened(standby)
    primary.execute("CREATE TABLE t (id integer)")
    standby.follow()
    before = first.identity()
    assert second.identity() == before
    assert second.behind(first.position()) is None
    assert first.behind(second.position()) is None  # a reader's endpoint that hops back

    standby.execute("SELECT pg_wal_replay_pause()")
    paused = "SELECT pg_get_wal_replay_pause_state()"
    wait_until(lambda: standby.execute(paused) == [("paused",)], "the pause of the replay")
    primary.execute("INSERT INTO t VALUES (1)")
    delivered = opened(primary).position()
    assert "is a standby that replayed WAL up to 0/" in opened(standby, 0.2).behind(delivered)
    third, found = opened(standby), []
    waiting = threading.Thread(target=lambda: found.append(third.behind(delivered)))
    asked = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_control_system%' AND pid <> pg_backend_pid()"
    others = len(standby.execute(asked))
    waiting.start()
    wait_until(lambda: len(standby.execute(asked)) > others, "a look at the standby")
    standby.execute("SELECT pg_wal_replay_resume()")
    waiting.join(20)
    assert found == [None]

    primary.end()  # what is written after this never comes to the standby
    standby.promote()
    ahead = {**delivered, "lsn": "7/0"}
    assert second.identity() == {**before, "timeline": "2"}
    assert "is a primary at WAL 0/" in second.behind(ahead)
    assert "on timeline 2, behind 7/0 on timeline 1 that was read before" in second.behind(ahead)
    assert second.behind(delivered) is None


def test_errors_of_questions_leave_the_session_as_it_was(legacy):
    session = legacy.connection
    with pytest.raises(psycopg.errors.DivisionByZero):
        ask(session, "SELECT 1/0")
    assert ask(session, "SET LOCAL search_path = pg_catalog; SELECT 1", "SELECT 2") == [[(1,)], [(2,)]]
    assert "public" in str(legacy.execute("SHOW search_path"))
    with session.transaction():
        legacy.execute("SET LOCAL work_mem = '1MB'")
        with pytest.raises(psycopg.errors.DivisionByZero):
            ask(session, "SET LOCAL work_mem = '2MB'; SELECT 1/0")
        assert ask(session, "SET LOCAL work_mem = '2MB'; SHOW work_mem") == [[("2MB",)]]
        assert legacy.execute("SHOW work_mem") == [("1MB",)]
