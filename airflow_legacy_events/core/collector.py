"""Garbage collection: keeps Python's cyclic collector from traversing the rows over and over."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

NEW_CONTAINERS = 200_000
"""More than a run holds at a time, rows included. Rows form no cycles, so reference counting frees them."""
SWEEP_BATCHES = 20
"""Batches between two sweeps. A sweep traverses the rows of one or two batches: 5 ms for 10 000 rows."""

_YOUNG = 1

_lock = threading.Lock()
_runs = 0
_before = gc.get_threshold()


@contextmanager
def rare_collections() -> Iterator[None]:
    """Context in which the collector runs only after `NEW_CONTAINERS` new containers; several may overlap.

    Otherwise it would traverse everything Airflow has loaded into the task's process every few thousand rows.
    """
    global _runs, _before  # noqa: PLW0603  the collector is global to the process, too
    with _lock:
        if not _runs:
            _before = gc.get_threshold()
            if _before[0]:  # 0: the collector is switched off
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
    """Free the cyclic garbage among young objects, such as those of a save; old objects are left alone.

    Without it a long run would hold the garbage of hundreds of saves. A collector that is switched off stays off.
    """
    if gc.isenabled() and gc.get_threshold()[0]:
        gc.collect(_YOUNG)
