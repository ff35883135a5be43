"""The commands under `airflow legacy-events connect`."""

from __future__ import annotations

from typing import Any

_MODULE = "airflow_legacy_events.cli.connect"
_COMMANDS = {
    "status": "Show the state of each connector that a DAG declares; exit code 1 if one is missing or FAILED",
    "diff": "Compare each connector that a DAG declares with the cluster's; exit code 1 if one differs",
}


def connect_commands() -> Any:
    """Return the group of commands for Airflow's parser."""
    from airflow.cli import cli_config  # noqa: PLC0415

    commands = [
        cli_config.ActionCommand(
            name=verb,
            help=text,
            func=cli_config.lazy_load_command(f"{_MODULE}.connect_{verb}"),
            args=(
                cli_config.ARG_DAG_ID,
                cli_config.ARG_LOGICAL_DATE_OR_RUN_ID_OPTIONAL,
                cli_config.ARG_MAP_INDEX,
                cli_config.ARG_BUNDLE_NAME,
                cli_config.ARG_OUTPUT,
                cli_config.ARG_VERBOSE,
            ),
        )
        for verb, text in _COMMANDS.items()
    ]
    return cli_config.GroupCommand(
        name="connect", help="Examine the connectors of Kafka Connect that a DAG declares", subcommands=commands
    )
