"""The commands as a person calls them."""

import argparse

import pytest

from tests.support.shop_stream import as_server, mark, shop, stream

__all__ = ["as_server", "mark", "shop", "stream"]


@pytest.fixture(autouse=True)
def _on_the_command_line(as_server):
    """Every command runs as a server of the deployment does."""


@pytest.fixture
def call(capsys):
    """Returns a function that calls `airflow legacy-events watermark` and gives what it printed."""
    from airflow.cli.cli_parser import _add_command

    from airflow_legacy_events.cli import get_cli_commands

    parser = argparse.ArgumentParser(prog="airflow")
    commands = parser.add_subparsers()
    for command in get_cli_commands():
        _add_command(commands, command)

    def call(*words):
        args = parser.parse_args(["legacy-events", "watermark", *words])
        args.func(args)
        return capsys.readouterr().out

    return call
