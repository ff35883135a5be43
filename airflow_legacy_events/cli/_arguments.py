"""Arguments of the commands."""

from __future__ import annotations

from typing import Any


def arguments() -> dict[str, Any]:
    """Return the arguments for Airflow's parser by the names used in the table of commands."""
    from airflow.cli import cli_config  # noqa: PLC0415

    from airflow_legacy_events.streams.directory.moves import ACCEPTED  # noqa: PLC0415

    make: Any = cli_config.Arg
    return {
        "output": cli_config.ARG_OUTPUT,
        "stream": make(("stream",), help="name of the stream, as the task's report and log show it"),
        "new_name": make(("new",), metavar="NEW", help="its new name, as the task's log shows it"),
        "streams": make(("streams",), nargs="*", metavar="STREAM", help="names of streams; none: all that have begun"),
        "values": make(
            ("values",),
            nargs="*",
            metavar="VALUE",
            help="values of the watermark columns, then of the key columns, as `show` lists them. If fewer are given,"
            " the next run reads from these values on, inclusive. If none is given, the values stay as they are. Of a"
            " stream that applies a topic: topic[partition]=offset; partitions that are not named stay",
        ),
        "accept": make(
            ("--accept",),
            action="append",
            choices=ACCEPTED,
            metavar="WHAT",
            help=f"accept what the next run finds as what the watermark belongs to: {', '.join(ACCEPTED)}; repeatable",
        ),
        "accept_server": make(
            ("--accept-server",),
            action="store_true",
            help="same as --accept server: accept the server that the connection leads to now",
        ),
        "conn_id": make(
            ("--source-conn-id",),
            metavar="CONN_ID",
            help="connection of the stream's source, whose lock is taken; needed if no readable watermark names it",
        ),
        "back_to": make(
            ("--to",),
            metavar="VALUE",
            help="value of the first watermark column, inclusive; of a topic a time with an offset, or an offset",
        ),
        "by": make(
            ("--by",),
            metavar="AMOUNT",
            help="a time such as 90s, 30m, 2h, 7d, 1w, or a number for ids; of a topic before now, or offsets",
        ),
        "store_to": make(("--to",), required=True, metavar="STORE", help="variable, table:<conn_id>, asset or xcom"),
        "file": make(("file",), metavar="FILE", help="that `export` printed; - is standard input"),
        "store": make(("--store",), metavar="STORE", help="where to write; default is the store that the file names"),
        "replace": make(("--replace",), action="store_true", help="overwrite streams that have begun"),
        "dry_run": make(
            ("--dry-run",), action="store_true", help="change nothing; report what would happen, and count the rows"
        ),
        "table": make(("--table",), help="what --dry-run counts in, if the watermark does not name it"),
        "sql": make(("--sql",), metavar="SQL", help="query or .sql file that --dry-run counts in"),
    }
