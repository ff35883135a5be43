"""Encodings of databases, and logical messages, which the server does not convert."""

import threading
from contextlib import contextmanager

import psycopg
import pytest

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model.log import LogMessage, LogPosition
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
        server.discard(name)


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
    [chunk] = chunks
    rows, message = chunk.parts
    assert message == LogMessage("outbox", '{"é": 1}', (rows.rows[0][2], 2, rows.rows[0][4], None))
    assert [row[3] for row in rows.rows] == [1, 4]
    assert caplog.text.count("transactional = false") == 1
    inside = LogPosition(*message.hidden[:2])
    assert [type(part).__name__ for part in log.read(inside, messages=("outbox",))[0].parts] == ["LogRows"]
    singly = log.read(rows=1, messages=("outbox",))
    assert [type(part).__name__ for chunk in singly for part in chunk.parts] == ["LogRows", "LogMessage", "LogRows"]
    assert singly[1].end == inside


def test_a_message_larger_than_a_row_may_be_is_an_error_that_names_its_place(postgres18_logs):
    with fresh_database(postgres18_logs) as database, changed_database(database, TABLE) as log:
        log.execute("SELECT pg_logical_emit_message(true, 'outbox', repeat('x', 2000))")
        assert log.read(messages=("of another",), max_row_bytes=1000)[0].parts == []
        with pytest.raises(SourceError, match=r"^raise max_row_bytes=1000, .*'outbox'.* 0/\w+ .* has 2000 bytes"):
            log.read(messages=("outbox",), max_row_bytes=1000)


@pytest.mark.parametrize(("encoding", "text"), [("LATIN1", "é".encode("latin-1")), ("SQL_ASCII", "é".encode())])
def test_a_database_in_another_encoding_gives_the_same_text(postgres18_logs, encoding, text):
    with encoded(postgres18_logs, encoding) as log:
        with psycopg.connect(log.database.dsn, client_encoding="SQL_ASCII") as session:
            session.execute(b"ALTER TABLE t RENAME a TO " + text)
            session.execute(b"INSERT INTO t VALUES (1, '" + text + b"')")
            session.execute(b"SELECT pg_logical_emit_message(true, 'outbox', '" + text + b"')")
        chunks = log.read(messages=("outbox",))
    [(rows, message)] = [chunk.parts for chunk in chunks]
    assert rows.rows[0][1] == rows.form.columns[1].name == message.content == "é"


def test_text_that_is_not_utf8_is_a_gap_and_a_message_the_bytes_of_its_content(postgres18_logs):
    with encoded(postgres18_logs, "SQL_ASCII") as log:
        with psycopg.connect(log.database.dsn, client_encoding="SQL_ASCII") as session:
            session.execute(b"INSERT INTO t VALUES (1, 'a'), (2, '\xe9'), (3, 'b')")
            session.execute(b"SELECT pg_logical_emit_message(true, 'outbox', '\xe9')")
        rows, gap, more = (part for chunk in log.read() for part in chunk.parts)
        *_, message = (part for chunk in log.read(messages=("outbox",)) for part in chunk.parts)
    assert (rows.rows[0][0], gap.hidden[1], more.rows[0][0]) == ("1", 2, "3")
    assert (message.prefix, message.content) == ("outbox", b"\xe9")
    assert (gap.why, gap.lost, gap.removed) == ("a text of the row is not UTF-8", True, False)
