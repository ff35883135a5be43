"""Export and import of streams between deployments, as plain JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from airflow_legacy_events.core.errors import ConfigurationError, WatermarkError
from airflow_legacy_events.core.foreign_json import read_json
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.streams.directory.entries import open_for, put, readable, store_of
from airflow_legacy_events.streams.directory.locks import Signature, locked, source_of
from airflow_legacy_events.watermarks.codec import decode, encode
from airflow_legacy_events.watermarks.registration import (
    Registration,
    read_registration,
    registered_streams,
    registration_in,
    write_registration,
)


class Exported(NamedTuple):
    """A stream outside any deployment."""

    stream: str
    registration: Registration
    mark: Watermark


def export_streams(streams: Sequence[str]) -> list[dict[str, Any]]:
    """Return streams as plain JSON that `read_exported` takes.

    Args:
        streams: names; empty: all that have begun.

    Raises:
        ConfigurationError: one has never begun, or its store can't be opened.
        WatermarkError: one can't be read, or is lost.
    """
    found = registered_streams()
    if unknown := [stream for stream in streams if stream not in found]:
        raise ConfigurationError(f"stream {unknown[0]!r} has never begun; `list` names those that have")
    return [_exported(stream, found[stream]) for stream in streams or found]


def _exported(stream: str, registration: Registration | WatermarkError) -> dict[str, Any]:
    if isinstance(registration, WatermarkError):
        raise registration
    mark = store_of(stream, registration).load(stream)
    if mark is None:
        raise WatermarkError(f"store {registration.store!r} holds no watermark of stream {stream!r}: it is lost")
    return {"stream": stream, **registration._asdict(), "watermark": json.loads(encode(mark))}


def read_exported(text: str | bytes, place: str) -> list[Exported]:
    """Return the streams in a JSON text written by `export_streams`.

    Args:
        text: the JSON.
        place: where it was found, for the error.

    Raises:
        ConfigurationError: it is not such a text.
        WatermarkError: a watermark in it can't be understood.
    """
    try:
        found = read_json(text)
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise ConfigurationError(f"{place} holds no JSON list as `export` prints it; nothing was written")
    return [_read(one) for one in found]


def _read(one: Any) -> Exported:
    try:
        stream, registration = str(one["stream"]), registration_in(one)
        return Exported(stream, registration, decode(json.dumps(one["watermark"]), stream=stream, place="the file"))
    except (KeyError, TypeError) as error:
        raise ConfigurationError(
            f"an entry of the file is not as `export` prints it ({error}); nothing was written"
        ) from error


def check_import(found: Exported) -> None:
    """Check that an exported stream does not replace one that has begun here and has another position.

    Raises:
        ConfigurationError: it would.
        WatermarkError: the stream here can't be read.
    """
    registration = read_registration(found.stream)
    if registration is None or readable(store_of(found.stream, registration), found.stream) == found.mark:
        return
    raise ConfigurationError(
        f"stream {found.stream!r} has begun here since {registration.since} and is at another position; nothing more"
        " was written. Give --replace to overwrite it"
    )


def import_stream(
    found: Exported, store: str | None, *, replace: bool, conn_id: str | None, signature: Signature
) -> str:
    """Write an exported stream under its lock; return the name of the store that now holds it.

    Args:
        found: the stream.
        store: name of the store to write to; None: the one that it was exported from.
        replace: whether it may replace a stream that has begun here.
        conn_id: connection of the stream's source; None: the one that the watermark names.
        signature: of the person.

    Raises:
        ConfigurationError: as `check_import` does, or a run works on the stream.
        WatermarkError: a store can't be read or written.
    """
    stream, registration, mark = found
    opened = open_for(store or registration.store, stream, registration)
    with locked(stream, source_of(stream, mark, conn_id), "import", signature, mark):
        if not replace:
            check_import(found)
        put(opened, stream, signature.under(mark))
        since = registration.since or signature.at
        write_registration(stream, registration._replace(store=opened.name, since=since))
    return opened.name
