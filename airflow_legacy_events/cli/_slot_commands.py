"""The commands under `airflow legacy-events slots`."""

from __future__ import annotations

from typing import Any

_MODULE = "airflow_legacy_events.cli.slots"
_DROP = (
    "Drop a replication slot, the publication that this package made for it, and watermark and registration of its"
    " stream. A slot that is in use, or was made by something else, is left alone. Changes that it holds are lost."
)


def slot_commands() -> Any:
    """Return the group of commands for Airflow's parser."""
    from airflow.cli import cli_config  # noqa: PLC0415

    make: Any = cli_config.Arg
    conn_id = make(("--conn-id",), required=True, metavar="CONN_ID", help="connection of the PostgreSQL database")
    max_wal = make(
        ("--max-wal",), metavar="SIZE", help="most that a slot may hold, such as '5 GB'; beyond it the exit code is 1"
    )
    connect = make(
        ("--connect-conn-id",),
        metavar="CONN_ID",
        help="connection of a Kafka Connect cluster, whose connectors' slots in the database are listed too",
    )
    slot = make(("slot",), metavar="SLOT", help="name of the slot, as `list` shows it")
    listing = cli_config.ActionCommand(
        name="list",
        help="List the replication slots of this package, and what each holds; exit code 1 if one is lost or orphaned",
        func=cli_config.lazy_load_command(f"{_MODULE}.slots_list"),
        args=(conn_id, max_wal, connect, cli_config.ARG_OUTPUT, cli_config.ARG_VERBOSE),
    )
    dropping = cli_config.ActionCommand(
        name="drop",
        help="Drop a replication slot and forget its stream",
        description=_DROP,
        func=cli_config.lazy_load_command(f"{_MODULE}.slots_drop"),
        args=(slot, conn_id, cli_config.ARG_VERBOSE),
    )
    return cli_config.GroupCommand(
        name="slots", help="Manage the replication slots of change logs", subcommands=(listing, dropping)
    )
