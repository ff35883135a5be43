"""The commands under `airflow legacy-events`.

Every call of `airflow` imports this module, so it holds names only.
"""

from __future__ import annotations

from typing import Any

_MODULE = "airflow_legacy_events.cli.watermark"


def get_cli_commands() -> list[Any]:
    """Return the commands for Airflow's parser."""
    from airflow.cli.cli_config import (  # noqa: PLC0415
        ARG_OUTPUT,
        ARG_VERBOSE,
        ActionCommand,
        GroupCommand,
        lazy_load_command,
    )

    stream, values, accept, conn_id = _arguments()
    show = ActionCommand(
        name="show",
        help="Show how far a stream was delivered, and where that is kept",
        func=lazy_load_command(f"{_MODULE}.show"),
        args=(stream, ARG_OUTPUT, ARG_VERBOSE),
    )
    move = ActionCommand(
        name="set",
        help="Move a stream's watermark, while no run works on it",
        func=lazy_load_command(f"{_MODULE}.move"),
        args=(stream, values, accept, conn_id, ARG_VERBOSE),
    )
    forget = ActionCommand(
        name="forget",
        help="Let a stream begin anew with its next run, while no run works on it",
        func=lazy_load_command(f"{_MODULE}.forget"),
        args=(stream, conn_id, ARG_VERBOSE),
    )
    watermark = GroupCommand(
        name="watermark", help="Look after the watermarks of streams", subcommands=(show, move, forget)
    )
    return [GroupCommand(name="legacy-events", help="Event streams of legacy databases", subcommands=(watermark,))]


def _arguments() -> tuple[Any, Any, Any, Any]:
    from airflow.cli import cli_config  # noqa: PLC0415

    make: Any = cli_config.Arg
    return (
        make(("stream",), help="name of the stream, as the task's report and log show it"),
        make(
            ("values",),
            nargs="*",
            metavar="VALUE",
            help="texts of the watermark columns, then of the key columns, as `show` lists them. Fewer than those: the"
            " next run reads from these values on, themselves included. None: the values stay as they are",
        ),
        make(
            ("--accept-server",),
            action="store_true",
            help="take the server that the connection leads to now for the one that the watermark belongs to",
        ),
        make(
            ("--source-conn-id",),
            metavar="CONN_ID",
            help="connection of the stream's source, whose lock is taken; needed where no readable watermark tells it",
        ),
    )
