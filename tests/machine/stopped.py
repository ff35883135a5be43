"""A worker of the random machine that is stopped with a page in its hands while another one takes its lock."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING
from unittest import mock

from airflow_legacy_events.core import lease
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.report import Report
from tests.support.locks import lose

if TYPE_CHECKING:
    from tests.machine.machine import Moved

_PROOF_SECONDS = 0.05


def stop_worker(moved: Moved) -> Report | None:
    """Run the stream while a worker of it is stopped that has lost its lock; return the report, None where red.

    The stopped worker goes on behind that run, and must end with an error and send nothing.
    """
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        release.wait()

    moved.table.insert()
    moved.broker.open()
    moved.broker.hold = hold
    with ThreadPoolExecutor(1) as threads, mock.patch.object(lease, "PROOF_SECONDS", _PROOF_SECONDS):
        moved.deliveries.options = dict(moved.table.options)
        worker = threads.submit(moved.deliveries.run)
        worker.add_done_callback(lambda _: held.set())
        held.wait()
        moved.broker.hold = None
        if worker.done():
            return _ended(moved, worker)
        try:
            report = _run_beside(moved)
        finally:
            release.set()
        sent = len(moved.broker.topic("topic"))
        error = worker.exception()
    assert isinstance(error, LegacyEventsError), f"a worker that had lost its lock went on, {error}"
    assert len(moved.broker.topic("topic")) == sent, "a worker that had lost its lock has sent messages"
    moved.outcomes["stopped"] += 1
    return report


def _run_beside(moved: Moved) -> Report | None:
    lose(moved.table.legacy, moved.deliveries.name)
    time.sleep(_PROOF_SECONDS)  # until the proof of the stopped one has aged
    moved.table.update()
    moved.table.insert()
    return moved.run()


def _ended(moved: Moved, worker: Future[Report]) -> Report | None:
    """Take over a run that had nothing to send, or was red before it sent anything."""
    try:
        return worker.result()
    except LegacyEventsError as error:
        moved.red(error)
        return None
