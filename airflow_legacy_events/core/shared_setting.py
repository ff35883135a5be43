"""Settings of the interpreter, which all runs in a process share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class SharedSetting:
    """Changes a setting for as long as any of several contexts lasts, which may overlap.

    Args:
        change: changes it, and returns what changes it back.
    """

    def __init__(self, change: Callable[[], Callable[[], object]]) -> None:
        self._change = change
        self._undo: Callable[[], object] = int
        self._lasting, self._lock = 0, threading.Lock()

    @contextmanager
    def changed(self) -> Iterator[None]:
        """Context in which it is changed."""
        with self._lock:
            if not self._lasting:
                self._undo = self._change()
            self._lasting += 1
        try:
            yield
        finally:
            with self._lock:
                self._lasting -= 1
                if not self._lasting:
                    self._undo()
