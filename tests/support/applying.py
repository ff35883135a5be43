"""Topics that are applied to tables of a fake target, in runs and batches."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from airflow_legacy_events.core.model import Batch, Watermark
from airflow_legacy_events.core.sink.delivery import AppliedDelivery
from tests.support.decoding import NOTHING, STREAM, received, step
from tests.support.fake_target import FakePositions, FakeTarget

LEASE = SimpleNamespace(check=lambda: None)


class Letters:
    """Keeps place and error of what can't be applied."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, str]] = []
        self.reasons: list[str] = []

    def send(self, changes: Any, poison: Any) -> None:
        self.sent += [(changes.received.offsets[one.place], one.error) for one in poison]
        self.reasons += [one.reason for one in poison]


def applied(
    decoder: Any,
    target: Any,
    messages: Any,
    *,
    size: int = 7,
    letters: Any = None,
    positions: Any = None,
    **options: Any,
) -> Any:
    """Apply the messages above the saved position, and return the delivery; a real target has positions of its own."""
    made = AppliedDelivery(
        "s",
        LEASE,
        target=target,
        positions=positions or FakePositions(target),
        dead_letters=letters,  # type: ignore[arg-type]
    )
    saved = made.load()
    made.begin({})
    decoding = step(decoder, target, **options)
    decoding.open()
    decode = decoding.compile(NOTHING, STREAM)
    first = int(saved.values[0]) if saved is not None and saved.values else 0
    for at in range(first, len(messages), size):
        some = received(*messages[at : at + size], first=at)
        batch = Batch(NOTHING, some, len(some), Watermark((str(at + len(some)),), None, {}), "c")  # type: ignore[arg-type]
        made.deliver(batch, decode(batch))
    return made


def rows_of(target: FakeTarget, table: str = "t") -> dict[Any, tuple[Any, ...]]:
    """Return the rows of a table, by key."""
    return {key[1] if len(key[1]) > 1 else key[1][0]: row for key, row in target.tables.get(table, {}).items()}
