"""Registrations of streams that have begun: they distinguish a lost watermark from one that was never written."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, NamedTuple

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.foreign_json import read_json
from airflow_legacy_events.core.model import Delivered, Watermark
from airflow_legacy_events.watermarks import airflow_variables
from airflow_legacy_events.watermarks.opening import NamedStore

PREFIX = "legacy_events.stream."


class Registration(NamedTuple):
    """Registration of a stream that has begun; constant from then on.

    Attributes:
        store: name of the store that holds its watermark.
        since: when it began, ISO 8601 in UTC.
        dag: that began it.
        task: that began it.
    """

    store: str
    since: str
    dag: str | None
    task: str | None


def read_registration(stream: str) -> Registration | None:
    """Return the registration of `stream`, None only if it is proved to be absent.

    Raises:
        WatermarkError: it can't be read or understood.
    """
    key = airflow_variables.variable_key(PREFIX, stream)
    text = airflow_variables.read(key)
    if text is None:
        return None
    return _registration(stream, key, text)


def _registration(stream: str, key: str, text: str) -> Registration:
    try:
        return registration_in(read_json(text))
    except (ValueError, KeyError, TypeError):
        raise WatermarkError(
            f"the registration of stream {stream!r} in Variable {key!r} can't be understood: found a text of"
            f" {len(text)} characters. Delete it with `airflow variables delete {key}`: where the watermark is there,"
            " the next run writes the registration again"
        ) from None


def registration_in(found: Any) -> Registration:
    """Return the registration stored in an object among other entries.

    Raises:
        KeyError, TypeError: it holds none.
    """
    registration = Registration(found["store"], found["since"], found["dag"], found["task"])
    if not (isinstance(registration.store, str) and isinstance(registration.since, str)):
        raise TypeError("store and since must be texts")
    if not all(one is None or isinstance(one, str) for one in (registration.dag, registration.task)):
        raise TypeError("dag and task must be texts or null")
    return registration


def write_registration(stream: str, registration: Registration) -> None:
    """Register `stream` in a Variable; its text holds the exact stream name, which its key may alter."""
    content = {"stream": stream, **registration._asdict()}
    airflow_variables.write(airflow_variables.variable_key(PREFIX, stream), json.dumps(content))


def registered_streams() -> dict[str, Registration | WatermarkError]:
    """Return all registrations by stream, or the error for an invalid one; for a server of the deployment.

    Raises:
        WatermarkError: one can't be read.
    """
    found: dict[str, Registration | WatermarkError] = {}
    for key in airflow_variables.keys_on_a_server(PREFIX):
        text = airflow_variables.read(key)
        if text is not None:
            name = _stream_of(key, text)
            try:
                found[name] = _registration(name, key, text)
            except WatermarkError as error:
                found[name] = error
    return found


def registration_of(key: str, text: str) -> tuple[str, Registration]:
    """Return the name and registration of a stream stored in a Variable.

    Raises:
        WatermarkError: it can't be understood.
    """
    name = _stream_of(key, text)
    return name, _registration(name, key, text)


def _stream_of(key: str, text: str) -> str:
    try:
        return str(read_json(text)["stream"])
    except (ValueError, KeyError, TypeError):
        return airflow_variables.stream_of(PREFIX, key)


def remove_registration(stream: str) -> None:
    """Remove the registration: `stream` counts as never begun."""
    airflow_variables.delete(airflow_variables.variable_key(PREFIX, stream))


class StreamRegistration:
    """Enforces that a stream which has begun never begins again by itself; an observer of its watermark.

    A stream is registered in an Airflow Variable right after its first watermark, an explicit empty one, was saved.
    Registered without a watermark: lost. Watermark without a registration (the process died in between): registered
    now.

    Args:
        stream: the observed stream.
        store: holds its watermark.
        name: of that store, as it is registered.
        dag: id of the DAG that runs.
        task: id of the task that runs.
        reads_only: whether registering is left to the task that writes the stream.
    """

    def __init__(
        self,
        stream: str,
        store: NamedStore,
        *,
        name: str,
        dag: str | None = None,
        task: str | None = None,
        reads_only: bool = False,
    ) -> None:
        self._stream, self._store, self._name, self._dag, self._task = stream, store, name, dag, task
        self._reads_only, self._registered = reads_only, False

    def load(self) -> Watermark | None:
        """Return the stream's watermark from the store, after checking that a run may continue from it.

        Raises:
            WatermarkError: as `loaded` does, or the store can't be read.
        """
        if self._registered:
            mark = self._store.load(self._stream)
            self.loaded(mark)
            return mark
        registration = read_registration(self._stream)  # before the store: the stream may begin in between
        mark = self._store.load(self._stream)
        self._judge(mark, registration)
        return mark

    def loaded(self, at: Watermark | None) -> None:
        """See `core.ports.Observer.loaded`; may be called repeatedly.

        Raises:
            WatermarkError: the stream is registered under another store, or its watermark is lost.
        """
        if self._registered and at is not None:
            return
        self._judge(at, read_registration(self._stream))  # a command may have removed or moved it meanwhile

    def saving(self, new: Watermark, delivered: Delivered) -> None:
        """See `core.ports.Observer.saving`; a stream is registered only after its first watermark was saved."""

    def saved(self, new: Watermark) -> None:  # noqa: ARG002  the first one counts, whatever it is
        """See `core.ports.Observer.saved`."""
        if not self._registered:
            self._register()

    def _judge(self, at: Watermark | None, registration: Registration | None) -> None:
        if registration is not None and registration.store != self._name:
            raise WatermarkError(
                f"the watermark of stream {self._stream!r} is in store {registration.store!r} since"
                f" {registration.since}, but this run uses store {self._name!r}. Move it with"
                f" {command('copy', self._stream, '--to', self._name)}, set watermark_store= back, or give the stream"
                " another name with stream="
            )
        # Some stores can prove that a first load never succeeded.
        if at is None and registration is not None and not self._store.begins_again:
            raise _lost(self._stream, self._name, registration)
        if at is not None and registration is None and not self._reads_only:
            self._register()
        self._registered = at is not None

    def _register(self) -> None:
        since = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        write_registration(self._stream, Registration(self._name, since, self._dag, self._task))
        self._registered = True


def _lost(stream: str, store: str, registration: Registration) -> WatermarkError:
    begun = f" (since {registration.since}, by dag {registration.dag!r}, task {registration.task!r})"
    return WatermarkError(
        f"stream {stream!r} has begun{begun}, but store {store!r} holds no watermark of it: it is lost. Nothing was"
        f" read. Write it again with {command('set', stream, 'VALUE...', '--source-conn-id', 'CONN_ID')}, or start over"
        f" with {command('forget', stream)}"
    )
