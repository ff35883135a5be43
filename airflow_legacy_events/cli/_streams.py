"""A stream as a command finds it: its store, its source and its lock."""

from __future__ import annotations

import os
import socket
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from airflow_legacy_events.cli._command import now, person
from airflow_legacy_events.core.errors import BusyError, ConfigurationError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports import Database
from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.hooks.registry import DEFAULT_STORE, STORES
from airflow_legacy_events.streams.stores import open_store as open_by_name
from airflow_legacy_events.watermarks.codec import DamagedWatermarkError
from airflow_legacy_events.watermarks.opening import NamedStore, Owner
from airflow_legacy_events.watermarks.registration import Registration, read_registration


def store_of(stream: str) -> NamedStore:
    """Return the store that a stream is registered under, the default one where it is not registered."""
    registration = read_registration(stream)
    return open_store(DEFAULT_STORE if registration is None else registration.store, stream, registration)


def open_store(name: str, stream: str, registration: Registration | None) -> NamedStore:
    """Return a store by the name under which it is registered.

    Raises:
        ConfigurationError: it can't be opened by its name.
    """
    here = registration is not None and registration.store == name
    if here and name.partition(":")[0] not in STORES:
        raise ConfigurationError(
            f"the watermark of stream {stream!r} lies in {name!r}, a store that was passed as an object; only its own"
            f" code can open it. Known here: {', '.join(sorted(STORES))}"
        )
    owner = None
    if registration is not None and registration.dag and registration.task:
        owner = Owner(registration.dag, registration.task)
    return open_by_name(name, owner=owner)


def readable(store: NamedStore, stream: str) -> Watermark | None:
    """The watermark; None also for one that a person broke, since these commands mend it."""
    try:
        return store.load(stream)
    except DamagedWatermarkError:
        return None


def source_of(args: Namespace, mark: Watermark | None) -> str:
    """Return the connection of a stream's source.

    Raises:
        ConfigurationError: neither the command nor the watermark tells it.
    """
    source = args.source_conn_id or (None if mark is None else mark.facts.get("source"))
    if not source:
        raise ConfigurationError(
            f"no readable watermark of stream {args.stream!r} tells the connection of its source, whose lock is needed."
            " Name it with --source-conn-id CONN_ID"
        )
    return str(source)


@contextmanager
def locked(args: Namespace, verb: str, mark: Watermark | None) -> Iterator[Database]:
    """Give the source's database while the stream's lock is held.

    Raises:
        ConfigurationError: a run works on the stream.
    """
    database = LegacyDatabaseHook(source_of(args, mark)).get_database()
    try:
        with database.lock(args.stream, _holder(verb)):
            yield database
    except BusyError as busy:
        raise ConfigurationError(
            f"{busy}. Its watermark was left as it is; wait until that run has ended, or end it"
        ) from busy
    finally:
        database.close()


def _holder(verb: str) -> dict[str, Any]:
    return {
        "dag": "(command line)",
        "task": f"watermark {verb}",
        "run": f"by {person()} at {now()}",
        "map_index": -1,
        "try": 1,
        "host": socket.gethostname(),
        "pid": os.getpid(),
    }
