"""Garbage collection: Python's cyclic collector is kept from walking through rows again and again."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

NEW_CONTAINERS = 200_000
"""More than a run holds at a time, rows included: they are freed by their reference counts, and form no cycles."""
SWEEP_BATCHES = 20
"""From one sweep to the next: each looks through the rows of a batch or two, 5 ms for 10 000 rows."""

_YOUNG = 1

_lock = threading.Lock()
_runs = 0
_before = gc.get_threshold()


@contextmanager
def rare_collections() -> Iterator[None]:
    """A context in which the collector wakes only after so many new containers; several may overlap.

    In a task's process it would otherwise walk through all that Airflow has loaded every few thousand rows.
    """
    global _runs, _before  # noqa: PLW0603  the collector is one for the process, too
    with _lock:
        if not _runs:
            _before = gc.get_threshold()
            if _before[0]:  # 0 is a collector that is switched off
                gc.set_threshold(max(NEW_CONTAINERS, _before[0]), *_before[1:])
        _runs += 1
    try:
        yield
    finally:
        with _lock:
            _runs -= 1
            if not _runs:
                gc.set_threshold(*_before)


def sweep() -> None:
    """Free the cyclic garbage of young objects, such as those of a save; old objects are left alone.

    Without it a long run would hold that of hundreds of saves. A collector that is switched off stays so.
    """
    if gc.isenabled() and gc.get_threshold()[0]:
        gc.collect(_YOUNG)
