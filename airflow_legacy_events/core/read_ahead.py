"""Read-ahead: one thread reads and encodes ahead of the relay, limited by a bounded queue."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Generic, TypeVar

from airflow_legacy_events.core.stop import Stop

T = TypeVar("T")
_POLL_SECONDS = 0.1


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class ReadAhead(Generic[T]):
    """Iterates over `items` while a thread of its own produces the next ones.

    At most `depth` items are being made or waiting, besides the one in use by the consumer. Memory therefore grows
    neither with the number of rows nor with a slow consumer. An error of the producer is raised in place of its item,
    after all items before it. Leaving the context ends the thread at its next item.

    Args:
        items: makes them; it should release one before it makes the next.
        stop: ends it.
        depth: see above.
        alone: whether an item is so large that the next one is begun only after the consumer is done with it.
    """

    def __init__(
        self,
        items: Generator[T, None, None],
        stop: Stop,
        depth: int = 1,
        alone: Callable[[T], bool] = lambda _: False,
    ) -> None:
        self._items, self._stop, self._depth, self._alone = items, stop, depth, alone
        self._made: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
        self._room = threading.Semaphore(depth + 1)
        self._abandoned = threading.Event()
        self._thread = threading.Thread(target=self._produce, name="legacy-events-read-ahead", daemon=True)

    def __enter__(self) -> Iterator[T]:
        self._thread.start()
        return self._consume()

    def __exit__(self, *_: object) -> None:
        self._abandoned.set()

    def _consume(self) -> Iterator[T]:
        while not self._stop.requested:
            try:
                item = self._made.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            if self._stop.requested:
                return
            if not isinstance(item, _End):
                yield item
                del item  # free memory: the item may be large, and the next one is begun now
                self._room.release()
            elif item.error is not None:
                raise item.error
            else:
                return

    def _produce(self) -> None:
        error: BaseException | None = None
        try:
            with contextlib.closing(self._items):
                while self._has_room():
                    item = next(self._items)
                    alone = self._alone(item)
                    self._made.put(item)
                    del item
                    if alone:
                        self._wait_until_taken()
        except StopIteration:
            pass
        except BaseException as caught:  # noqa: BLE001  it is raised again in the relay's thread
            error = caught
        self._made.put(_End(error))

    def _wait_until_taken(self) -> None:
        """Wait until the consumer is done with every item; returns at once if it has stopped."""
        taken = 0
        while taken <= self._depth and self._has_room():
            taken += 1
        if taken:
            self._room.release(taken)

    def _has_room(self) -> bool:
        """Wait until the next item may be made; False if the consumer has stopped."""
        while not (self._abandoned.is_set() or self._stop.requested):
            if self._room.acquire(timeout=_POLL_SECONDS):
                return True
        return False
