"""Encodings of databases, and logical messages, which the server does not convert."""

import threading
from contextlib import contextmanager

import psycopg
import pytest

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model.log import LogMessage
from tests.support.change_log import changed_database
from tests.support.databases import Database, fresh_database

TABLE = "CREATE TABLE t (id integer PRIMARY KEY, a text)"


@contextmanager
def encoded(server, encoding):
    """A database in another encoding than UTF-8."""
    name = f"test_{encoding.lower()}_{threading.get_native_id()}"
    server.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    try:
        with changed_database(Database(server, name), TABLE) as found:
            yield found
    finally:
        server.execute(server.drop.format(name))


@pytest.mark.parametrize("server", ["postgres18_logs", "postgres_logs"])
def test_logical_messages_belong_to_their_transaction_and_are_decoded(request, server, caplog):
    with fresh_database(request.getfixturevalue(server)) as database, changed_database(database, TABLE) as log:
        messages_belong(log, caplog)


def messages_belong(log, caplog):
    with psycopg.connect(log.database.dsn) as session:
        session.execute("INSERT INTO t VALUES (1)")
        session.execute("SELECT pg_logical_emit_message(true, 'outbox', '{\"é\": 1}')")
        session.execute("SELECT pg_logical_emit_message(true, 'of another', 'no')")
        session.execute("INSERT INTO t VALUES (2)")
        session.execute("SELECT pg_logical_emit_message(false, 'outbox', 'at once')")
        session.execute("SELECT pg_logical_emit_message(false, 'outbox', 'again')")
    chunks = log.read(messages=("outbox",))
    parts = [part for chunk in chunks for part in chunk.parts]
    assert [type(part).__name__ for part in parts] == ["LogRows", "LogMessage", "LogRows"]
    assert parts[1] == LogMessage("outbox", '{"é": 1}', (parts[0].rows[0][2], 2, parts[0].rows[0][4], None))
    assert [row[3] for row in (*parts[0].rows, *parts[2].rows)] == [1, 4]
    assert caplog.text.count("transactional = false") == 1
    assert [type(part).__name__ for part in log.read(chunks[1].end, messages=("outbox",))[0].parts] == ["LogRows"]


@pytest.mark.parametrize(("encoding", "text"), [("LATIN1", "é".encode("latin-1")), ("SQL_ASCII", "é".encode())])
def test_a_database_in_another_encoding_gives_the_same_text(postgres18_logs, encoding, text):
    with encoded(postgres18_logs, encoding) as log:
        with psycopg.connect(log.database.dsn, client_encoding="SQL_ASCII") as session:
            session.execute(b"ALTER TABLE t RENAME a TO " + text)
            session.execute(b"INSERT INTO t VALUES (1, '" + text + b"')")
            session.execute(b"SELECT pg_logical_emit_message(true, 'outbox', '" + text + b"')")
        chunks = log.read(messages=("outbox",))
    rows, message = chunks[0].parts[0], chunks[1].parts[0]
    assert rows.rows[0][1] == rows.form.columns[1].name == message.content == "é"


def test_text_that_is_not_utf8_is_a_gap_and_a_message_an_error(postgres18_logs):
    with encoded(postgres18_logs, "SQL_ASCII") as log:
        with psycopg.connect(log.database.dsn, client_encoding="SQL_ASCII") as session:
            session.execute(b"INSERT INTO t VALUES (1, 'a'), (2, '\xe9'), (3, 'b')")
            session.execute(b"SELECT pg_logical_emit_message(true, 'outbox', '\xe9')")
        rows, gap, more = (part for chunk in log.read() for part in chunk.parts)
        with pytest.raises(SourceError, match=r"^leave prefix 'outbox' out.*not text in SQL_ASCII"):
            log.read(messages=("outbox",))
    assert (rows.rows[0][0], gap.hidden[1], more.rows[0][0]) == ("1", 2, "3")
    assert (gap.why, gap.lost, gap.removed) == ("a text of the row is not UTF-8", True, False)
