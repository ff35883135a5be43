"""Commands: how each runs, who ran it, how its output is printed."""

from __future__ import annotations

import datetime as dt
import functools
import getpass
import os
import re
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Any

from airflow.cli.simple_table import AirflowConsole
from airflow.utils.cli import action_cli, suppress_logs_and_warning
from airflow.utils.providers_configuration_loader import providers_configuration_loaded

from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.printable import printable, printable_lines
from airflow_legacy_events.streams.directory.locks import Signature
from airflow_legacy_events.watermarks.codec import typed

_CONTROLS = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def command(function: Callable[[Namespace], None]) -> Callable[[Namespace], None]:
    """Run `function` as a server of the deployment does; our errors end the process with their message.

    Airflow's audit log records who ran it, when, and with which arguments.
    """
    audited: Any = action_cli

    @functools.wraps(function)
    def run(args: Namespace) -> None:
        # Otherwise connections resolve through a task's supervisor, which does not exist here.
        os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
        try:
            _refuse_bytes(args)
            function(args)
        except LegacyEventsError as error:
            raise SystemExit(printable_lines(f"{type(error).__name__}: {error}")) from error

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


def _refuse_bytes(args: Namespace) -> None:
    """Refuse arguments that are not UTF-8: Python passes such bytes on as halves of surrogate pairs."""
    for name, given in vars(args).items():
        texts = given if isinstance(given, list) else [given]
        if any(isinstance(one, str) and not one.isprintable() and _is_broken(one) for one in texts):
            raise ConfigurationError(f"{name} holds bytes that are not UTF-8; nothing was changed. Save it as UTF-8")


def _is_broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def say(text: str) -> None:
    """Print a sentence."""
    print(printable_lines(text))  # noqa: T201


def say_json(text: str) -> None:
    """Print JSON; control characters are escaped the JSON way."""
    print(_CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text))  # noqa: T201


def show(shown: Sequence[dict[str, Any]], output: str) -> None:
    """Print objects in one of Airflow's formats: `json`, `yaml`, `table` or `plain`; values are never markup."""
    lines = list(shown)
    if output not in {"json", "yaml"}:
        lines = [{name: _cell(value, output) for name, value in line.items()} for line in lines]
    AirflowConsole(markup=False, emoji=False).print_as(data=lines, output=output)


def _cell(value: Any, output: str) -> Any:
    """Return a value as Airflow prints it, without control characters; values printed as Python have none."""
    if isinstance(value, (list, tuple)):
        return [_cell(one, output) for one in value] if output == "table" else value
    if isinstance(value, dict):
        return str(value) if output == "table" else value
    return None if value is None else printable(str(value))


def flat(shown: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one object as rows of `what` and `is`, for a table."""
    lines = []
    for name, value in shown.items():
        if name == "values":
            lines += [{"what": _value_name(one), "is": one["text"]} for one in value]
        elif isinstance(value, dict):
            lines += [{"what": f"{name}.{part}", "is": found} for part, found in value.items()]
        else:
            lines.append({"what": name, "is": value})
    return lines


def _value_name(one: dict[str, Any]) -> str:
    """Return how a value is named; a position in a topic has no column, and names its partition itself."""
    return "position" if one["column"] is None else f"{one['column']} ({one['type']})"
