"""`airflow legacy-events watermark show|list|set|rewind|forget`."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from airflow_legacy_events.cli import _dry_run
from airflow_legacy_events.cli._command import command, flat, named, say, show, signature
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.streams.directory.dry_run import rows_left
from airflow_legacy_events.streams.directory.entries import StreamState, find_stream, list_streams
from airflow_legacy_events.streams.directory.moves import Forget, Move, Rewind, SetWatermark, carry_out, preview
from airflow_legacy_events.streams.directory.slots import slot_that_stays


@command
def watermark_show(args: Namespace) -> None:
    """Print the values, facts and registration of a stream."""
    found = find_stream(args.stream)
    mark, registration = found.mark, found.registration
    shown = {
        "stream": args.stream,
        "watermark": found.condition,
        "values": [] if mark is None else named(mark),
        "receipt": None if mark is None else mark.receipt,
        "facts": {} if mark is None else mark.facts,
        "registration": None if registration is None else registration._asdict(),
    }
    show([shown] if args.output in {"json", "yaml"} else flat(shown), args.output)


@command
def watermark_list(args: Namespace) -> None:
    """Print a line for every stream that has begun."""
    shown = [_line(found) for found in list_streams()]
    if not shown and args.output not in {"json", "yaml"}:
        say("no stream has begun")
        return
    show(shown, args.output)


def _line(found: StreamState) -> dict[str, Any]:
    mark, registration = found.mark, found.registration
    return {
        "stream": found.stream,
        "store": None if registration is None else registration.store,
        "dag": None if registration is None else registration.dag,
        "task": None if registration is None else registration.task,
        "watermark": found.condition,
        "values": None if mark is None or mark.values is None else list(mark.values),
        "run": None if mark is None else mark.facts.get("run"),
        "error": found.error,
    }


@command
def watermark_set(args: Namespace) -> None:
    """Replace the values of a stream's watermark, or accept the current state of its source."""
    accept = dict.fromkeys([*(["server"] if args.accept_server else []), *(args.accept or [])])
    if not args.values and not accept:
        raise ConfigurationError("nothing to set: give the new VALUEs of the watermark, or --accept WHAT")
    move = SetWatermark(values=args.values, accept=tuple(accept), conn_id=args.source_conn_id)
    if (new := _moved(args, move)) is not None:
        accepted = f", {', '.join(accept)} accepted as it is now" if accept else ""
        say(f"stream {args.stream!r}: watermark set{accepted}, by {new.facts['person']}")
        show(flat({"values": named(new), "server": new.facts.get("server")}), "table")


@command
def watermark_rewind(args: Namespace) -> None:
    """Move a stream's watermark back, so that the next run sends the rows above it again."""
    if (args.to is None) == (args.by is None):
        raise ConfigurationError("exactly one of --to VALUE and --by AMOUNT must be given")
    if (new := _moved(args, Rewind(to=args.to, by=args.by, conn_id=args.source_conn_id))) is not None:
        say(f"stream {args.stream!r}: watermark moved back, by {new.facts['person']}")
        show(flat({"values": named(new)}), "table")


@command
def watermark_forget(args: Namespace) -> None:
    """Remove the watermark and the registration of a stream."""
    kept = slot_that_stays(args.stream)
    _moved(args, Forget(conn_id=args.source_conn_id))
    if not args.dry_run:
        say(f"stream {args.stream!r}: forgotten; its next run is a first run")
    if kept is not None:
        slot, conn_id = kept
        dropping = f"airflow legacy-events slots drop {slot} --conn-id {conn_id}"
        say(f"its replication slot {slot!r} stays and keeps WAL, and no first run begins beside it.")
        say(f"To drop it: {dropping}")


def _moved(args: Namespace, move: Move) -> Watermark | None:
    """Return the new watermark; None if none is left, or for a dry run, which prints what would happen."""
    if not args.dry_run:
        return carry_out(args.stream, move, signature())
    found = preview(args.stream, move)
    sql = _dry_run.query(args.sql)
    rows = rows_left(args.stream, found, conn_id=args.source_conn_id, table=args.table, sql=sql)
    say(_dry_run.sentence(args.stream, move.verb, rows))
    return None
