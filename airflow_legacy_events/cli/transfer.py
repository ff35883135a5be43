"""`airflow legacy-events watermark rename|copy|export|import`: watermarks between names, stores and deployments."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path

from airflow_legacy_events.cli._command import command, say, say_json, signature
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.streams.directory.copying import Copy
from airflow_legacy_events.streams.directory.exporting import (
    check_import,
    export_streams,
    import_stream,
    read_exported,
)
from airflow_legacy_events.streams.directory.renaming import Renaming


def _content(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ConfigurationError(
            f"the file {file!r} can't be read: {why}; nothing was written. Name a file that `export` printed"
        ) from error


@command
def watermark_copy(args: Namespace) -> None:
    """Move a stream to another store: write and register it there, then remove it here."""
    copy = Copy(args.stream, args.to)
    if args.dry_run:
        say(f"stream {args.stream!r}: would move from {copy.old!r} to {copy.new!r}; nothing was changed")
        return
    copy.carry_out(args.source_conn_id, signature())
    say(f"stream {args.stream!r}: moved from {copy.old!r} to {copy.new!r}; set watermark_store={args.to!r}")


@command
def watermark_rename(args: Namespace) -> None:
    """Give a stream another name, keeping position and registration."""
    found = Renaming(args.stream, args.new, args.source_conn_id)
    dropped_facts = f"; the next run fills in {', '.join(found.dropped)}" if found.dropped else ""
    if args.dry_run:
        say(f"stream {args.stream!r}: would be renamed to {args.new!r}{dropped_facts}; nothing was changed")
        return
    new = found.carry_out(signature())
    say(f"stream {args.stream!r}: renamed to {args.new!r}, by {new.facts['person']}{dropped_facts}")


@command
def watermark_export(args: Namespace) -> None:
    """Print streams as JSON that `import` takes."""
    say_json(json.dumps(export_streams(args.streams), ensure_ascii=False, indent=2))


@command
def watermark_import(args: Namespace) -> None:
    """Write streams printed by `export`; all are checked before the first is written."""
    exported = read_exported(_content(args.file), args.file)
    if not args.replace:
        for one in exported:
            check_import(one)
    for one in exported:
        if args.dry_run:
            store = args.store or one.registration.store
            say(f"stream {one.stream!r}: would be written to {store!r}; nothing was changed")
            continue
        store = import_stream(one, args.store, replace=args.replace, conn_id=args.source_conn_id, signature=signature())
        say(f"stream {one.stream!r}: written to {store!r}")
