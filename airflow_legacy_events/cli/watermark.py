"""`airflow legacy-events watermark show|list|set|forget`."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from airflow_legacy_events.cli._command import command, flat, named, say, show, signed
from airflow_legacy_events.cli._dry_run import tell
from airflow_legacy_events.cli._streams import locked, open_store, readable, source_of, store_of
from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError, WatermarkError
from airflow_legacy_events.core.facts import check_facts
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports import Database
from airflow_legacy_events.watermarks.registration import (
    Registration,
    read_registration,
    registered_streams,
    remove_registration,
)


@command
def watermark_show(args: Namespace) -> None:
    """Print the values, facts and registration of a stream."""
    registration = read_registration(args.stream)
    mark = store_of(args.stream).load(args.stream)
    if mark is None and registration is None:
        raise ConfigurationError(
            f"stream {args.stream!r} has never begun: it has neither a watermark nor a registration"
        )
    shown = {
        "stream": args.stream,
        "watermark": _state(mark),
        "values": [] if mark is None else named(mark),
        "receipt": None if mark is None else mark.receipt,
        "facts": {} if mark is None else mark.facts,
        "registration": None if registration is None else registration._asdict(),
    }
    show([shown] if args.output in {"json", "yaml"} else flat(shown), args.output)


@command
def watermark_list(args: Namespace) -> None:
    """Print a line for every stream that has begun."""
    shown = [_line(stream, registration) for stream, registration in registered_streams().items()]
    if not shown and args.output not in {"json", "yaml"}:
        say("no stream has begun")
        return
    show(shown, args.output)


def _line(stream: str, registration: Registration | WatermarkError) -> dict[str, Any]:
    line: dict[str, Any] = {"stream": stream, "store": None, "dag": None, "task": None}
    try:
        if isinstance(registration, WatermarkError):
            raise registration
        line.update(store=registration.store, dag=registration.dag, task=registration.task)
        mark = open_store(registration.store, stream, registration).load(stream)
    except LegacyEventsError as error:
        return {**line, "watermark": "unreadable", "values": None, "run": None, "error": str(error)}
    values = None if mark is None or mark.values is None else list(mark.values)
    run = None if mark is None else mark.facts.get("run")
    return {**line, "watermark": _state(mark), "values": values, "run": run, "error": None}


def _state(mark: Watermark | None) -> str:
    return "lost" if mark is None else "empty" if mark.values is None else "present"


@command
def watermark_set(args: Namespace) -> None:
    """Replace the values of a stream's watermark, or the server that it belongs to."""
    if not args.values and not args.accept_server:
        raise ConfigurationError("nothing to set: give the VALUEs that the watermark shall have, or --accept-server")
    store = store_of(args.stream)
    if args.dry_run:
        mark = readable(store, args.stream)
        tell(args, "set", mark, _moved(args, mark, None))
        return
    with locked(args, "set", readable(store, args.stream)) as database:
        mark = readable(store, args.stream)
        new = _moved(args, mark, database)
        if mark is None:
            store.forget(args.stream)  # what a person broke can't be expected
        store.save(args.stream, new, expected=mark)
    say(f"stream {args.stream!r}: watermark set, by {new.facts['person']}")
    show(flat({"values": named(new), "server": new.facts.get("server")}), "table")


@command
def watermark_forget(args: Namespace) -> None:
    """Remove the watermark and the registration of a stream."""
    store = store_of(args.stream)
    mark = readable(store, args.stream)
    if args.dry_run:
        tell(args, "forget", mark, None)
        return
    with locked(args, "forget", mark):
        store.forget(args.stream)
        remove_registration(args.stream)
    say(f"stream {args.stream!r}: forgotten; its next run is a first run")


def _moved(args: Namespace, mark: Watermark | None, database: Database | None) -> Watermark:
    """The watermark that `set` asks for; the receipt and the place belong to the old values and go with them."""
    old = mark or Watermark(None, None, {})
    check_facts(args.stream, old.facts)
    facts = dict(old.facts)
    if args.values:
        _check_count(args.values, facts.get("columns"))
        facts.pop("included", None)
        old = old._replace(values=tuple(args.values), receipt=None)
    facts["source"] = source_of(args, mark)
    if args.accept_server and database is not None:
        facts["server"] = database.identity()
    return signed(old._replace(facts=facts))


def _check_count(values: list[str], columns: list[list[str]] | None) -> None:
    if columns is not None and len(values) > len(columns):
        raise ConfigurationError(
            f"{len(values)} values were given, the watermark has {len(columns)} columns:"
            f" {', '.join(f'{name} ({kind})' for name, kind in columns)}"
        )
