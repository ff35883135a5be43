"""A run that is killed inside a transaction: the next one sends what was not saved, and the rest."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

import psutil
from confluent_kafka import Consumer, TopicPartition

from tests.benchmarks.case import Result, counted
from tests.benchmarks.changelog.drains import Stream
from tests.benchmarks.changelog.world import LogWorld
from tests.benchmarks.legacy.base import Table

_PATIENCE_SECONDS = 300.0
_CHILD = "tests.benchmarks.inside"


def run(world: LogWorld, _: int, size: int, on: str) -> Result:
    """Kill a run when half of the rows are on the topic; return what the next one cost, and the rows sent twice.

    Raises:
        RuntimeError: the next run did not begin where the killed one had saved, or rows are missing.
    """
    logged = world.logged(on)
    stream, table = logged.stream, logged.opened_last(size)
    _kill_at(world, stream, table, size // 2)
    sent = world.count(stream.topic)
    [found] = stream.run(world, table)
    report = found["report"]
    saved = int(report["watermark_from"][1])
    repeated = sent - saved
    if (report["events"], report["target_reached"]) != (size - saved, True) or not 0 < saved <= sent < size:
        raise RuntimeError(f"{saved} of {size} rows were saved and {sent} sent; then the report says {report}")
    counted(world, stream.topic, size + repeated)
    extra = {"sent": sent, "saved": saved, "repeated": repeated}
    return Result(size - saved, report["seconds"], found["cpu"], found["rss_mb"], extra=extra)


def _kill_at(world: LogWorld, stream: Stream, table: Table, rows: int) -> None:
    failures: list[BaseException] = []

    def send() -> None:
        try:
            stream.run(world, table)
        except RuntimeError as error:  # what the killed child leaves
            failures.append(error)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    _reached(world, stream.topic, rows)
    _kill()
    thread.join(_PATIENCE_SECONDS)
    if not failures:
        raise RuntimeError("the run that was to be killed had ended")


def _reached(world: LogWorld, topic: str, rows: int) -> None:
    consumer = Consumer({"bootstrap.servers": world.kafka.bootstrap, "group.id": "benchmark"})
    deadline = time.monotonic() + _PATIENCE_SECONDS
    try:
        while consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)[1] < rows:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{rows} rows were not sent within {_PATIENCE_SECONDS:.0f} s")
            time.sleep(0.02)
    finally:
        consumer.close()


def _kill() -> None:
    """End the child of this process that runs the DAG, and its own, as a power cut would."""
    children: list[Any] = [one for one in psutil.Process().children() if _CHILD in " ".join(one.cmdline())]
    for child in children:
        for process in [child, *child.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
