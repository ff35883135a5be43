"""Commands: how each runs, who ran it, how it prints."""

from __future__ import annotations

import datetime as dt
import functools
import getpass
import os
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Any

from airflow.cli.simple_table import AirflowConsole
from airflow.utils.cli import action_cli, suppress_logs_and_warning
from airflow.utils.providers_configuration_loader import providers_configuration_loaded

from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.streams.directory.locks import Signature
from airflow_legacy_events.watermarks.codec import typed


def command(function: Callable[[Namespace], None]) -> Callable[[Namespace], None]:
    """Run `function` as a server of the deployment does; our errors end the process with their message.

    Airflow's audit log keeps who ran it, when, and with which arguments.
    """
    audited: Any = action_cli

    @functools.wraps(function)
    def run(args: Namespace) -> None:
        # Without it connections resolve through a task's supervisor, and there is none.
        os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
        try:
            function(args)
        except LegacyEventsError as error:
            raise SystemExit(f"{type(error).__name__}: {error}") from error

    made: Callable[[Namespace], None] = suppress_logs_and_warning(
        providers_configuration_loaded(audited(check_db=False)(run))
    )
    return made


def signature() -> Signature:
    """Return the user of the operating system who runs the command, and the time."""
    return Signature(getpass.getuser(), dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), "(command line)")


def named(mark: Watermark) -> list[dict[str, Any]]:
    """Return the values beside the names and types of their columns."""
    return typed(mark.values or (), mark.facts.get("columns"))


def say(text: str) -> None:
    """Print a sentence."""
    print(text)  # noqa: T201


def show(shown: Sequence[dict[str, Any]], output: str) -> None:
    """Print objects in one of Airflow's formats: `json`, `yaml`, `table` or `plain`."""
    AirflowConsole().print_as(data=list(shown), output=output)


def flat(shown: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one object as lines of `what` and `is`, for a table."""
    lines = []
    for name, value in shown.items():
        if name == "values":
            lines += [{"what": f"{one['column']} ({one['type']})", "is": one["text"]} for one in value]
        elif isinstance(value, dict):
            lines += [{"what": f"{name}.{part}", "is": found} for part, found in value.items()]
        else:
            lines.append({"what": name, "is": value})
    return lines
