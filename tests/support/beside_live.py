"""A replay beside the live stream, step by step: what happens before each batch that the replay publishes."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.model import Messages, Repeat, Span, Window
from airflow_legacy_events.core.report import Report
from tests.support.legacy import Legacy
from tests.support.streams import Deliveries

TOPIC = "legacy"
NAME = f"legacy.t@{TOPIC}"
DAY = Window("at", "2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00")


class Producer(MemoryBroker):
    """One of several producers of the same topics; the test hears of each batch before it is published."""

    def __init__(self, broker: MemoryBroker, before: Callable[[int], Any]) -> None:
        super().__init__(broker._limits)
        self._topics, self._before, self._numbers = broker._topics, before, itertools.count(1)

    def publish(self, messages: Messages, left_out: AbstractSet[int] = frozenset()) -> None:
        self._before(next(self._numbers))
        super().publish(messages, left_out)


class Beside:
    """A stream of the table `t`, its live runs and its replays."""

    def __init__(self, legacy: Legacy, limits: Mapping[str, int] | None = None, **options: Any) -> None:
        self.legacy, self.broker, self.looks = legacy, MemoryBroker(limits), 0
        url = legacy.url.render_as_string(hide_password=False)
        self.stream = Deliveries(url, self.broker, TOPIC, "t", NAME)
        self.stream.options = {"watermark_columns": ("at",), **options}
        self.stream.dead_letter_topic = "dead" if limits else None

    def live(self) -> Report:
        return self.stream.run()

    def replay(
        self,
        before: Callable[[int], Any],
        what: Window | Span = DAY,
        *,
        name: str = "r",
        mode: str = "replay",
        beside_live: bool = True,
        batch_rows: int = 3,
    ) -> Report:
        """Replay, with `before` called with the number of each batch that it is about to publish."""
        stream = dataclasses.replace(self.stream, broker=Producer(self.broker, before))
        stream.options = self.stream.options
        return stream.run(repeat=Repeat(mode, what, f"{NAME}#{name}", beside_live), batch_rows=batch_rows)

    def change(self, *statements: str) -> None:
        """The application writes, and the live stream sends it at once."""
        for statement in statements:
            self.legacy.execute(statement)
        self.live()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(one.value or "null") for one in self.broker.topic(TOPIC)]

    def last(self, column: str = "body") -> dict[str, Any]:
        """A column of the last message of each key."""
        return {event["subject"]: event["data"][column] for event in self.events}

    def remembered(self, column: str = "body") -> dict[str, Any]:
        """The same as a consumer sees it that passes an event whose id it knows."""
        firsts: dict[str, dict[str, Any]] = {}
        for event in self.events:
            firsts.setdefault(event["id"], event)
        return {event["subject"]: event["data"][column] for event in firsts.values()}

    def table(self, key: str = "id", column: str = "body") -> dict[str, Any]:
        return {str(one): value for one, value in self.legacy.execute(f"SELECT {key}, {column} FROM t")}
