"""Directory entries: which streams of the deployment have begun, and the state of each."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError, WatermarkError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.hooks.registry import DEFAULT_STORE, STORES
from airflow_legacy_events.streams.stores import open_store
from airflow_legacy_events.watermarks.codec import DamagedWatermarkError
from airflow_legacy_events.watermarks.opening import NamedStore, Owner
from airflow_legacy_events.watermarks.registration import Registration, read_registration, registered_streams

Condition: TypeAlias = Literal["present", "empty", "lost", "unreadable"]


class StreamState(NamedTuple):
    """State of a stream.

    Attributes:
        stream: its name.
        registration: its registration; None: it is not registered, or its registration can't be understood.
        mark: its watermark; None: there is none, or it can't be read.
        error: why registration or watermark can't be read.
    """

    stream: str
    registration: Registration | None
    mark: Watermark | None
    error: str | None = None

    @property
    def condition(self) -> Condition:
        """Condition of the watermark; `empty` is that of a stream before its first row."""
        if self.error is not None:
            return "unreadable"
        if self.mark is None:
            return "lost"
        return "empty" if self.mark.values is None else "present"


def find_stream(stream: str) -> StreamState:
    """Return the state of `stream`.

    Raises:
        ConfigurationError: it has never begun, or its store can't be opened.
        WatermarkError: its registration or watermark can't be read.
    """
    registration = read_registration(stream)
    mark = store_of(stream, registration).load(stream)
    if mark is None and registration is None:
        raise ConfigurationError(f"stream {stream!r} has never begun: it has neither a watermark nor a registration")
    return StreamState(stream, registration, mark)


def list_streams() -> list[StreamState]:
    """Return every stream that has begun, sorted by name; an unreadable stream does not hide the others.

    Raises:
        WatermarkError: Airflow's Variables can't be read.
    """
    return [_state(*found) for found in registered_streams().items()]


def _state(stream: str, registration: Registration | WatermarkError) -> StreamState:
    if isinstance(registration, WatermarkError):
        return StreamState(stream, None, None, str(registration))
    try:
        return StreamState(stream, registration, store_of(stream, registration).load(stream))
    except LegacyEventsError as error:
        return StreamState(stream, registration, None, str(error))


def store_of(stream: str, registration: Registration | None) -> NamedStore:
    """Return the store that a stream is registered under, or the default store if it is not registered.

    Raises:
        ConfigurationError: it can't be opened by its name.
    """
    return open_for(DEFAULT_STORE if registration is None else registration.store, stream, registration)


def open_for(name: str, stream: str, registration: Registration | None) -> NamedStore:
    """Return any store, opened for the task that began the stream.

    Raises:
        ConfigurationError: it can't be opened by its name.
    """
    here = registration is not None and registration.store == name
    if here and name.partition(":")[0] not in STORES:
        raise ConfigurationError(
            f"the watermark of stream {stream!r} is in {name!r}, a store that was passed as an object; only its own"
            f" code can open it. Known here: {', '.join(sorted(STORES))}"
        )
    owner = None
    if registration is not None and registration.dag and registration.task:
        owner = Owner(registration.dag, registration.task)
    return open_store(name, owner=owner)


def readable(store: NamedStore, stream: str) -> Watermark | None:
    """Return the watermark; None also for an invalid manual edit that is about to be replaced.

    Raises:
        WatermarkError: the store can't be read.
    """
    try:
        return store.load(stream)
    except DamagedWatermarkError:
        return None


def put(store: NamedStore, stream: str, mark: Watermark) -> None:
    """Replace the content of `store` with `mark`, and read it back.

    Raises:
        WatermarkError: the store can't be read or written, or reads back something else.
    """
    if readable(store, stream) is None:
        store.forget(stream)  # an invalid manual edit can't be the expected value
    store.save(stream, mark, expected=readable(store, stream))
    if store.load(stream) != mark:
        raise WatermarkError(f"the watermark of stream {stream!r} was written and reads back differently")
