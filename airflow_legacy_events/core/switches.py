"""Switches between threads: the thread that applies a batch gets the interpreter's lock back soon after each answer.

Python lets a thread that computes keep the lock for 5 ms. The other waits for it behind each of the dozen answers of
a transaction, while the first decodes the next batch: half of the time that a transaction took.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from airflow_legacy_events.core.shared_setting import SharedSetting

SECONDS = 0.001
"""For which a thread keeps the lock; with a fifth of it, switching takes up what waiting less gains."""


def _shortened() -> Callable[[], object]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(SECONDS, before))
    return partial(sys.setswitchinterval, before)


_INTERVAL = SharedSetting(_shortened)


def quick_switches() -> AbstractContextManager[None]:
    """Context in which a thread that waits for the interpreter's lock gets it soon; several may overlap."""
    return _INTERVAL.changed()
