"""`airflow legacy-events watermark show|set|forget`."""

from __future__ import annotations

import datetime as dt
import functools
import getpass
import os
import socket
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from airflow.cli.simple_table import AirflowConsole
from airflow.utils.cli import suppress_logs_and_warning
from airflow.utils.providers_configuration_loader import providers_configuration_loaded

from airflow_legacy_events.core.errors import BusyError, ConfigurationError, LegacyEventsError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports import Database
from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.hooks.registry import DEFAULT_STORE, STORES, make_store
from airflow_legacy_events.watermarks.codec import DamagedWatermarkError
from airflow_legacy_events.watermarks.registration import read_registration, remove_registration


def _command(function: Callable[[Namespace], None]) -> Callable[[Namespace], None]:
    """Run `function` as a server of the deployment does; our errors end the process with their message."""

    @suppress_logs_and_warning
    @providers_configuration_loaded
    @functools.wraps(function)
    def run(args: Namespace) -> None:
        # Without it connections resolve through a task's supervisor, and there is none.
        os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
        try:
            function(args)
        except LegacyEventsError as error:
            raise SystemExit(f"{type(error).__name__}: {error}") from error

    return run


@_command
def show(args: Namespace) -> None:
    """Print the values, facts and registration of a stream."""
    registration = read_registration(args.stream)
    mark = _store(args.stream).load(args.stream)
    if mark is None and registration is None:
        raise ConfigurationError(
            f"stream {args.stream!r} has never begun: it has neither a watermark nor a registration"
        )
    shown = {
        "stream": args.stream,
        "watermark": "lost" if mark is None else "empty" if mark.values is None else "present",
        "values": [] if mark is None else _named(mark),
        "receipt": None if mark is None else mark.receipt,
        "facts": {} if mark is None else mark.facts,
        "registration": None if registration is None else registration._asdict(),
    }
    lines = [shown] if args.output in {"json", "yaml"} else _flat(shown)
    AirflowConsole().print_as(data=lines, output=args.output)


@_command
def move(args: Namespace) -> None:
    """Replace the values of a stream's watermark, or the server that it belongs to."""
    if not args.values and not args.accept_server:
        raise ConfigurationError("nothing to set: give the VALUEs that the watermark shall have, or --accept-server")
    with _locked(args, "set") as (store, database):
        mark = _readable(store, args.stream)
        new = _moved(args, mark, database)
        if mark is None:
            store.forget(args.stream)  # what a person broke can't be expected
        store.save(args.stream, new, expected=mark)
    print(f"stream {args.stream!r}: watermark set, by {new.facts['person']}")  # noqa: T201
    AirflowConsole().print_as(data=_flat({"values": _named(new), "server": new.facts.get("server")}), output="table")


@_command
def forget(args: Namespace) -> None:
    """Remove the watermark and the registration of a stream."""
    with _locked(args, "forget") as (store, _):
        store.forget(args.stream)
        remove_registration(args.stream)
    print(f"stream {args.stream!r}: forgotten; its next run is a first run")  # noqa: T201


def _store(stream: str) -> Any:
    """The store that a stream is registered under, the default one where it is not registered."""
    registration = read_registration(stream)
    name = DEFAULT_STORE if registration is None else registration.store
    if name not in STORES:
        raise ConfigurationError(
            f"the watermark of stream {stream!r} lies in {name!r}, a store that was passed as an object; only its own"
            f" code can open it. Known here: {', '.join(sorted(STORES))}"
        )
    return make_store(name)[1]


@contextmanager
def _locked(args: Namespace, verb: str) -> Iterator[tuple[Any, Database]]:
    """Give the stream's store and its source's database while the stream's lock is held."""
    store = _store(args.stream)
    database = LegacyDatabaseHook(_source(args, _readable(store, args.stream))).get_database()
    try:
        with database.lock(args.stream, _holder(verb)):
            yield store, database
    except BusyError as busy:
        raise ConfigurationError(
            f"{busy}. Its watermark was left as it is; wait until that run has ended, or end it"
        ) from busy
    finally:
        database.close()


def _readable(store: Any, stream: str) -> Watermark | None:
    """The watermark; None also for one that a person broke, since these commands mend it."""
    try:
        mark: Watermark | None = store.load(stream)
    except DamagedWatermarkError:
        return None
    return mark


def _moved(args: Namespace, mark: Watermark | None, database: Database) -> Watermark:
    """The watermark that `set` asks for; the receipt belongs to the old values and goes with them."""
    old = mark or Watermark(None, None, {})
    if args.values:
        _check_count(args.values, old.facts.get("columns"))
        old = old._replace(values=tuple(args.values), receipt=None)
    facts = {**old.facts, "source": _source(args, mark), "person": getpass.getuser(), "set_at": _now()}
    if args.accept_server:
        facts["server"] = database.identity()
    return old._replace(facts=facts)


def _source(args: Namespace, mark: Watermark | None) -> str:
    source = args.source_conn_id or (None if mark is None else mark.facts.get("source"))
    if not source:
        raise ConfigurationError(
            f"no readable watermark of stream {args.stream!r} tells the connection of its source, whose lock is needed."
            " Name it with --source-conn-id CONN_ID"
        )
    return str(source)


def _holder(verb: str) -> dict[str, Any]:
    return {
        "dag": "(command line)",
        "task": f"watermark {verb}",
        "run": f"by {getpass.getuser()} at {_now()}",
        "map_index": -1,
        "try": 1,
        "host": socket.gethostname(),
        "pid": os.getpid(),
    }


def _check_count(values: list[str], columns: list[list[str]] | None) -> None:
    if columns is not None and len(values) > len(columns):
        raise ConfigurationError(
            f"{len(values)} values were given, the watermark has {len(columns)} columns:"
            f" {', '.join(f'{name} ({kind})' for name, kind in columns)}"
        )


def _named(mark: Watermark) -> list[dict[str, Any]]:
    columns = mark.facts.get("columns") or []
    padded = [*columns, *[[None, None]] * len(mark.values or ())]
    return [
        {"column": name, "type": kind, "text": text}
        for text, (name, kind) in zip(mark.values or (), padded, strict=False)
    ]


def _flat(shown: dict[str, Any]) -> list[dict[str, Any]]:
    lines = []
    for name, value in shown.items():
        if name == "values":
            lines += [{"what": f"{one['column']} ({one['type']})", "is": one["text"]} for one in value]
        elif isinstance(value, dict):
            lines += [{"what": f"{name}.{part}", "is": found} for part, found in value.items()]
        else:
            lines.append({"what": name, "is": value})
    return lines


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
