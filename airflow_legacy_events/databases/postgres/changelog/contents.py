"""Contents of logical messages: unlike rows, the server does not convert them to the client's encoding."""

from __future__ import annotations

import psycopg

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.postgres.changelog.failures import refused
from airflow_legacy_events.databases.postgres.changelog.options import ReaderOptions

_UTF8 = ("UTF8", "SQL_ASCII")
_CONVERTED = "SELECT convert_from(%s::bytea, %s::name)"


def decoded(options: ReaderOptions, encoding: str, prefix: str, content: bytes) -> str:
    """Return the content of a logical message.

    Args:
        options: of the reader.
        encoding: the server's name of the database's encoding; the server itself converts what is not ASCII.
        prefix: of the message, for the error.
        content: of the message.

    Raises:
        SourceError: it is not text in that encoding.
    """
    try:
        if encoding in _UTF8 or content.isascii():
            return content.decode()
        with options.catalog() as session:
            [(found,)] = session.execute(_CONVERTED, (content, encoding)).fetchall()
            return str(found)
    except (UnicodeDecodeError, psycopg.DataError):
        error = SourceError(
            f"leave prefix {prefix!r} out, or let its messages be text: connection {options.conn_id!r} found a logical"
            f" message of that prefix that is not text in {encoding}"
        )
        error.retry_helps = False
        raise error from None
    except psycopg.Error as error:
        raise refused(options.conn_id, error) from None
