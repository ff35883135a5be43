"""A store beside its registrations, as a delivery drives both."""

from __future__ import annotations

from typing import Any

from airflow_legacy_events.core.model import Delivered, Watermark
from airflow_legacy_events.watermarks.registration import StreamRegistration, remove_registration


class Registered:
    """Loads and saves the watermarks of any stream, and lets its registration observe that."""

    def __init__(self, store: Any, **registration: Any) -> None:
        self._store, self._registration = store, registration
        self._observers: dict[str, StreamRegistration] = {}

    def load(self, stream: str) -> Watermark | None:
        return self._of(stream).load()

    def save(self, stream: str, new: Watermark, *, expected: Watermark | None) -> None:
        self._of(stream).saving(new, Delivered())
        self._store.save(stream, new, expected=expected)
        self._of(stream).saved(new)

    def forget(self, stream: str) -> None:
        self._store.forget(stream)
        remove_registration(stream)
        self._observers.pop(stream, None)

    def _of(self, stream: str) -> StreamRegistration:
        made = StreamRegistration(stream, self._store, **self._registration)
        return self._observers.setdefault(stream, made)
