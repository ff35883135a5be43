"""What a writer notices of polls: the time of its commits with and without them."""

from __future__ import annotations

import statistics
import threading
import time
from contextlib import closing

from tests.benchmarks.horizon.shop import Shop

SECONDS, EVERY = 4.0, 0.2


def p99(shop: Shop, *, polls: bool) -> float:
    """Return the 99th percentile of inserts, in milliseconds, beside polls by time or none."""
    over = threading.Event()
    poller = threading.Thread(target=_poll, args=(shop, over)) if polls else None
    if poller is not None:
        poller.start()
    try:
        found = _inserts(shop)
    finally:
        over.set()
        if poller is not None:
            poller.join()
    return statistics.quantiles(found, n=100)[98] * 1_000


def _inserts(shop: Shop) -> list[float]:
    found, until = [], time.perf_counter() + SECONDS
    with closing(shop.legacy.connect()) as session:
        while (started := time.perf_counter()) < until:
            session.execute("INSERT INTO orders (n) VALUES (1)")
            found.append(time.perf_counter() - started)
    return found


def _poll(shop: Shop, over: threading.Event) -> None:
    stream = shop.stream("at")
    stream.options = {**stream.options, "first_run": "now"}
    while not over.wait(EVERY):
        shop.seconds(stream)
