"""Contents of logical messages: unlike rows, the server does not convert them to the client's encoding."""

from __future__ import annotations

from typing import Any

import psycopg

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model.log import LogMessage
from airflow_legacy_events.databases.postgres.changelog.failures import refused
from airflow_legacy_events.databases.postgres.changelog.options import ReaderOptions
from airflow_legacy_events.databases.postgres.changelog.pgoutput import Message

_UTF8 = ("UTF8", "SQL_ASCII")
_CONVERTED = "SELECT convert_from(%s::bytea, %s::name)"


def logged(options: ReaderOptions, encoding: str, message: Message, hidden: tuple[Any, ...]) -> LogMessage:
    """Return a logical message with its content decoded.

    Args:
        options: of the reader.
        encoding: the server's name of the database's encoding; the server itself converts what is not ASCII.
        message: as the log has it.
        hidden: values by `HIDDEN`.

    Raises:
        SourceError: it is larger than a row may be, or the server does not answer.
    """
    if (size := len(message.content)) > options.max_row_bytes:
        error = SourceError(
            f"raise max_row_bytes={options.max_row_bytes}, or leave prefix {message.prefix!r} out of message_topics=: a"
            f" logical message at {hidden[0]} of the log of connection {options.conn_id!r} has {size} bytes; nothing"
            " behind it was sent"
        )
        error.retry_helps = False
        raise error
    return LogMessage(message.prefix, _decoded(options, encoding, message.content), hidden)


def _decoded(options: ReaderOptions, encoding: str, content: bytes) -> str | bytes:
    """Return a content as text; as it is where it is no text in the database's encoding."""
    try:
        if encoding in _UTF8 or content.isascii():
            return content.decode()
        with options.catalog() as session:
            [(found,)] = session.execute(_CONVERTED, (content, encoding)).fetchall()
            return str(found)
    except (UnicodeDecodeError, psycopg.DataError):
        return content
    except psycopg.Error as error:
        raise refused(options.conn_id, error) from None
