"""A run that waits with a batch in its hands, in a process that may be stopped: `python -m` this.

It tells each message that it publishes and where it waits, a line each, and goes on once it is told to.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core import lease
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.model import Messages, Rejection
from tests.support.streams import Deliveries

WAITS = "waits"


class TellingBroker(MemoryBroker):
    """Waits once before it judges the second batch, or with its verdict on it."""

    def __init__(self, place: str) -> None:
        super().__init__(limits={"t": 100} if place == "letters" else {})
        self._place, self._batches = place, 0

    def refused(self, messages: Messages) -> Sequence[Rejection]:
        if messages.topic == "t":
            self._batches += 1
            if self._batches == 2 and self._place == "batch":
                self._wait()
        elif self._place == "letters":
            self._wait()
        return [] if self._place == "letters" else super().refused(messages)

    def publish(self, messages: Messages, left_out: AbstractSet[int] = frozenset()) -> None:
        tell(f"published {messages.topic} {','.join(map(str, messages.keys))}")
        super().publish(messages, left_out)

    def _wait(self) -> None:
        tell(WAITS)
        sys.stdin.readline()


def tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    url, place, proof, dead = sys.argv[1:]
    lease.PROOF_SECONDS = float(proof)
    if "mysql" in url:
        import airflow_legacy_events.databases.mysql.lock as named

        named._DEAD_SECONDS, named.HEARTBEAT_SECONDS = int(dead), int(dead) / 4
    broker = TellingBroker(place)
    options = {"watermark_columns": ("id",)}
    letters = "dead" if place == "letters" else None
    stream = Deliveries(url, broker, "t", table="places", name="s", options=options, dead_letter_topic=letters)
    try:
        tell(f"ended {stream.run(batch_rows=2).events}")
    except LegacyEventsError as error:
        tell(f"failed {error}")
