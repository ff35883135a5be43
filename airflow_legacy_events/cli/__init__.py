"""The commands under `airflow legacy-events`.

Every `airflow` command imports this module, so it holds names only.
"""

from __future__ import annotations

from typing import Any

_PACKAGE = "airflow_legacy_events.cli"
_COMMANDS = {
    "show": (
        "watermark",
        "Show how far a stream has been delivered, and where its watermark is stored",
        ("stream", "output"),
    ),
    "list": ("watermark", "List the streams that have begun", ("output",)),
    "set": (
        "watermark",
        "Move a stream's watermark, while no run works on it",
        ("stream", "values", "accept", "accept_server", "conn_id", "dry_run", "table", "sql"),
    ),
    "rewind": (
        "watermark",
        "Move a stream's watermark back by an amount or to a value, while no run works on it",
        ("stream", "back_to", "by", "conn_id", "dry_run", "table", "sql"),
    ),
    "forget": (
        "watermark",
        "Forget a stream while no run works on it, so that its next run is a first run",
        ("stream", "conn_id", "dry_run", "table", "sql"),
    ),
    "rename": (
        "transfer",
        "Rename a stream while no run works on it, for example after its table, topic or connection was renamed",
        ("stream", "new_name", "conn_id", "dry_run"),
    ),
    "copy": ("transfer", "Move a stream to another watermark store", ("stream", "store_to", "conn_id", "dry_run")),
    "export": ("transfer", "Print watermarks as JSON", ("streams",)),
    "import": (
        "transfer",
        "Write watermarks that `export` printed",
        ("file", "store", "replace", "conn_id", "dry_run"),
    ),
}
_OUTBOX = {
    "ddl": (
        "Print the DDL of an outbox table with its indexes and settings",
        ("layout", "dialect", "outbox_table", "mark", "keep"),
    ),
    "trigger": (
        "Print triggers that fill an outbox for an application that is left unchanged",
        ("table", "conn_id", "columns", "key", "outbox", "aggregate_type", "always", "notify", "check"),
    ),
}


def get_cli_commands() -> list[Any]:
    """Return the commands for Airflow's parser."""
    from airflow.cli.cli_config import ARG_VERBOSE, ActionCommand, GroupCommand, lazy_load_command  # noqa: PLC0415

    from airflow_legacy_events.cli._arguments import arguments  # noqa: PLC0415
    from airflow_legacy_events.cli._connect_commands import connect_commands  # noqa: PLC0415
    from airflow_legacy_events.cli._slot_commands import slot_commands  # noqa: PLC0415

    known = arguments()
    commands = [
        ActionCommand(
            name=verb,
            help=text,
            func=lazy_load_command(f"{_PACKAGE}.{module}.watermark_{verb}"),
            args=(*(known[name] for name in names), ARG_VERBOSE),
        )
        for verb, (module, text, names) in _COMMANDS.items()
    ]
    watermark = GroupCommand(name="watermark", help="Manage the watermarks of streams", subcommands=commands)
    groups = (watermark, _outbox_commands(), slot_commands(), connect_commands(), _doctor())
    return [GroupCommand(name="legacy-events", help="Event streams of legacy databases", subcommands=groups)]


def _outbox_commands() -> Any:
    from airflow.cli.cli_config import ARG_VERBOSE, ActionCommand, GroupCommand, lazy_load_command  # noqa: PLC0415

    from airflow_legacy_events.cli.outbox.arguments import TRIGGER_TEXT, arguments  # noqa: PLC0415

    known = arguments()
    commands = [
        ActionCommand(
            name=verb,
            help=text,
            description=TRIGGER_TEXT if verb == "trigger" else None,
            func=lazy_load_command(f"{_PACKAGE}.outbox.commands.outbox_{verb}"),
            args=(*(known[name] for name in names), ARG_VERBOSE),
        )
        for verb, (text, names) in _OUTBOX.items()
    ]
    return GroupCommand(name="outbox", help="Print SQL for the outbox of an application", subcommands=commands)


def _doctor() -> Any:
    from airflow.cli import cli_config  # noqa: PLC0415

    return cli_config.ActionCommand(
        name="doctor",
        help="Examine a task: what its next run would find wrong, and how complete it would be",
        description=(
            "Check arguments, connections, rights, tables and topics of a task by the code of its run, up to where that"
            " would read the first row. Nothing is sent, created or moved. Exit code 1 if the next run would fail."
        ),
        func=cli_config.lazy_load_command(f"{_PACKAGE}.doctor.doctor"),
        args=(
            cli_config.ARG_DAG_ID,
            cli_config.ARG_TASK_ID,
            cli_config.ARG_LOGICAL_DATE_OR_RUN_ID_OPTIONAL,
            cli_config.ARG_MAP_INDEX,
            cli_config.ARG_BUNDLE_NAME,
            cli_config.ARG_OUTPUT,
            cli_config.ARG_VERBOSE,
        ),
    )
