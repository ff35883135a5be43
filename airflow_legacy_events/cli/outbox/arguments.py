"""Arguments of `airflow legacy-events outbox`."""

from __future__ import annotations

from typing import Any

LAYOUTS = ("debezium",)
DIALECTS = ("postgresql", "mariadb", "mysql", "sqlite")

TRIGGER_TEXT = (
    "Print triggers that write an event for every row an unchanged application writes. Nothing is executed."
    " An event's `type` is created, updated, deleted or truncated. Its payload is a JSON object of the chosen columns:"
    " the new values, for a deleted row the old ones. Its `aggregateid` is the text of the key; several key columns are"
    " a JSON array of texts. An UPDATE of the key is two events: deleted under the old key, created under the new one."
    " A TRUNCATE (PostgreSQL) is one event without values, whose `aggregateid` is the table's name."
)


def arguments() -> dict[str, Any]:
    """Return the arguments for Airflow's parser by the names used in the table of commands."""
    from airflow.cli import cli_config  # noqa: PLC0415

    make: Any = cli_config.Arg
    return {
        "layout": make(("layout",), choices=LAYOUTS, help="columns of the outbox"),
        "dialect": make(("--dialect",), required=True, choices=DIALECTS, help="database that the SQL is for"),
        "outbox_table": make(("--table",), default="outbox", help="name of the outbox, such as app.outbox"),
        "mark": make(
            ("--mark",),
            action="store_true",
            help="published rows stay, marked in `published_at`; by default they are deleted",
        ),
        "keep": make(
            ("--keep",), action="store_true", help="published rows stay as they are, and are read by time and id"
        ),
        "table": make(("table",), help="that the application writes, such as sales.orders"),
        "conn_id": make(
            ("--source-conn-id",), required=True, metavar="CONN_ID", help="connection of the database; it is only read"
        ),
        "columns": make(
            ("--columns",), required=True, metavar="A,B,C", help="columns of the payload; double quotes keep a comma"
        ),
        "key": make(("--key",), metavar="A,B", help="columns of `aggregateid`; default is the primary key"),
        "outbox": make(("--outbox",), default="outbox", help="the outbox, as `outbox ddl debezium` makes it"),
        "aggregate_type": make(
            ("--aggregate-type",), metavar="NAME", help="`aggregatetype`; default: the table's name"
        ),
        "always": make(
            ("--always",), action="store_true", help="fire for rows that replication applies too; PostgreSQL only"
        ),
        "notify": make(
            ("--notify",), metavar="CHANNEL", help="send a NOTIFY with every write; PostgreSQL only, read the comment"
        ),
        "check": make(
            ("--check",), action="store_true", help="print no SQL; report whether the existing triggers still fit"
        ),
    }
