"""LISTEN on a real PostgreSQL: what is heard, how it ends, and what is said where nothing would be heard."""

import threading

import psycopg
import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import ConfigurationError, SourceError
from airflow_legacy_events.databases.postgres import PostgresDatabase, listening
from tests.support.databases import fresh_database

LISTENING = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"


@pytest.fixture
def database(postgres_database):
    made = PostgresDatabase(sa.make_url(postgres_database.url), conn_id="crm", statement_timeout_seconds=10)
    yield made
    made.close()


def test_it_hears_its_channel_alone_spelled_as_it_is(database, postgres_database):
    with database.listen('Odd "name"') as listener:
        postgres_database.execute("SELECT pg_notify('odd \"name\"', ''), pg_notify('other', '')")
        threading.Timer(0.2, listener.end).start()
        assert listener.wait() is False

    with database.listen('Odd "name"') as listener:
        postgres_database.execute("SELECT pg_notify('Odd \"name\"', n::text) FROM generate_series(1, 1000) n")
        assert listener.wait() is True


def test_its_session_is_in_no_transaction(database, postgres_database):
    with database.listen("news"):
        assert postgres_database.execute(f"SELECT state, xact_start {LISTENING}") == [("idle", None)]


def test_a_session_that_was_cut_is_an_error_and_leaves_nothing_behind(database, postgres_database):
    with database.listen("news") as listener:
        postgres_database.execute(f"SELECT pg_terminate_backend(pid) {LISTENING}")
        with pytest.raises(SourceError, match="'crm' failed while listening for notifications"):
            listener.wait()
    assert postgres_database.execute(f"SELECT count(*) {LISTENING}") == [(0,)]


def test_where_notifications_do_not_arrive_it_says_so(postgres, postgres_database, monkeypatch):
    """Of another database none arrives, as behind a pooler that hands out sessions by the transaction."""
    monkeypatch.setattr(listening, "_ARRIVAL_SECONDS", 0.2)
    with fresh_database(postgres) as elsewhere:
        dsns = iter([postgres_database.dsn, elsewhere.dsn])
        context = listening.listening(lambda: psycopg.connect(next(dsns), autocommit=True), "news", "crm")

        with pytest.raises(ConfigurationError, match=r"did not come back within 0\.2 s.*PgBouncer"), context:
            pass


def test_a_server_that_can_not_be_reached_is_an_error_that_waiting_may_mend(postgres_database):
    url = sa.make_url(postgres_database.url).set(database="nowhere")
    database = PostgresDatabase(url, conn_id="crm", statement_timeout_seconds=10)

    with pytest.raises(SourceError) as caught, database.listen("news"):
        pass
    assert caught.value.retry_helps
