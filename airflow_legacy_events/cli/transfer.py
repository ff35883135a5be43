"""`airflow legacy-events watermark copy|export|import`: watermarks between stores and deployments."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from airflow_legacy_events.cli._command import command, now, say, signed
from airflow_legacy_events.cli._streams import locked, open_store, readable
from airflow_legacy_events.core.errors import ConfigurationError, WatermarkError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.watermarks.codec import decode, encode
from airflow_legacy_events.watermarks.opening import NamedStore
from airflow_legacy_events.watermarks.registration import (
    Registration,
    read_registration,
    registered_streams,
    write_registration,
)


@command
def watermark_copy(args: Namespace) -> None:
    """Move a stream to another store: written there, registered there, then removed where it was."""
    registration = read_registration(args.stream)
    if registration is None:
        raise ConfigurationError(f"stream {args.stream!r} has never begun: there is nothing to copy")
    old = open_store(registration.store, args.stream, registration)
    new = open_store(args.to, args.stream, registration)
    mark = _movable(args.stream, old, registration.store, new.name)
    if args.dry_run:
        say(f"stream {args.stream!r}: would move from {registration.store!r} to {new.name!r}; nothing was changed")
        return
    with locked(args, "copy", mark):
        mark = _movable(args.stream, old, registration.store, new.name)  # it may have moved until the lock was held
        _put(new, args.stream, signed(mark))
        write_registration(args.stream, registration._replace(store=new.name))
        old.forget(args.stream)
    say(f"stream {args.stream!r}: moved from {registration.store!r} to {new.name!r}; set watermark_store={args.to!r}")


def _movable(stream: str, store: NamedStore, old: str, new: str) -> Watermark:
    mark = store.load(stream)
    if new == old or mark is None:
        found = "it lies there already" if mark is not None else f"store {old!r} holds no watermark"
        raise ConfigurationError(f"stream {stream!r} can't be copied to {new!r}: {found}")
    return mark


@command
def watermark_export(args: Namespace) -> None:
    """Print streams as JSON that `import` takes."""
    found = registered_streams()
    if unknown := [stream for stream in args.streams if stream not in found]:
        raise ConfigurationError(f"stream {unknown[0]!r} has never begun; `list` names those that have")
    wanted = {stream: found[stream] for stream in (args.streams or found)}
    say(json.dumps([_exported(*one) for one in wanted.items()], ensure_ascii=False, indent=2))


def _exported(stream: str, registration: Registration | WatermarkError) -> dict[str, Any]:
    if isinstance(registration, WatermarkError):
        raise registration
    mark = open_store(registration.store, stream, registration).load(stream)
    if mark is None:
        raise WatermarkError(f"store {registration.store!r} holds no watermark of stream {stream!r}: it is lost")
    return {"stream": stream, **registration._asdict(), "watermark": json.loads(encode(mark))}


@command
def watermark_import(args: Namespace) -> None:
    """Write streams that `export` printed; all are checked before the first is written."""
    entries = [_entry(one) for one in _read(args.file)]
    for stream, _, mark in entries:
        _refuse_existing(stream, mark, replace=args.replace)
    for stream, registration, mark in entries:
        if args.dry_run:
            say(f"stream {stream!r}: would be written to {args.store or registration.store!r}; nothing was changed")
            continue
        one = Namespace(stream=stream, source_conn_id=args.source_conn_id)
        store = open_store(args.store or registration.store, stream, registration)
        with locked(one, "import", mark):
            _refuse_existing(stream, mark, replace=args.replace)
            _put(store, stream, signed(mark))
            write_registration(stream, registration._replace(store=store.name, since=registration.since or now()))
        say(f"stream {stream!r}: written to {store.name!r}")


def _read(file: str) -> list[Any]:
    text = sys.stdin.read() if file == "-" else Path(file).read_text()
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise ConfigurationError(f"{file} holds no JSON list as `export` prints it; nothing was written")
    return found


def _entry(one: Any) -> tuple[str, Registration, Watermark]:
    try:
        stream = str(one["stream"])
        registration = Registration(str(one["store"]), str(one["since"]), one["dag"], one["task"])
        return stream, registration, decode(json.dumps(one["watermark"]), stream=stream, place="the file")
    except (KeyError, TypeError) as error:
        raise ConfigurationError(
            f"an entry of the file is not as `export` prints it ({error}); nothing was written"
        ) from error


def _refuse_existing(stream: str, mark: Watermark, *, replace: bool) -> None:
    registration = read_registration(stream)
    if registration is None or replace:
        return
    if readable(open_store(registration.store, stream, registration), stream) != mark:
        raise ConfigurationError(
            f"stream {stream!r} has begun here since {registration.since} and stands elsewhere; nothing more was"
            " written. Give --replace to let the file win"
        )


def _put(store: NamedStore, stream: str, mark: Watermark) -> None:
    """Let `store` hold `mark`, whatever it held, and read it back."""
    if readable(store, stream) is None:
        store.forget(stream)  # what a person broke can't be expected
    store.save(stream, mark, expected=readable(store, stream))
    if store.load(stream) != mark:
        raise WatermarkError(f"the watermark of stream {stream!r} was written and reads back differently")
