"""Garbage collection: keeps Python's cyclic collector from traversing the rows over and over."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from airflow_legacy_events.core.shared_setting import SharedSetting

NEW_CONTAINERS = 200_000
"""More than a run holds at a time, rows included. Rows form no cycles, so reference counting frees them."""
SWEEP_BATCHES = 20
"""Batches between two sweeps. A sweep traverses the rows of one or two batches: 5 ms for 10 000 rows."""

_YOUNG = 1


def _made_rare() -> Callable[[], object]:
    before = gc.get_threshold()
    if before[0]:  # 0: the collector is switched off
        gc.set_threshold(max(NEW_CONTAINERS, before[0]), *before[1:])
    return partial(gc.set_threshold, *before)


_THRESHOLD = SharedSetting(_made_rare)


def rare_collections() -> AbstractContextManager[None]:
    """Context in which the collector runs only after `NEW_CONTAINERS` new containers; several may overlap.

    Otherwise it would traverse everything Airflow has loaded into the task's process every few thousand rows.
    """
    return _THRESHOLD.changed()


def sweep() -> None:
    """Free the cyclic garbage among young objects, such as those of a save; old objects are left alone.

    Without it a long run would hold the garbage of hundreds of saves. A collector that is switched off stays off.
    """
    if gc.isenabled() and gc.get_threshold()[0]:
        gc.collect(_YOUNG)
