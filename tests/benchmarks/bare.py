"""What Python alone can reach: one loop of one format string and `produce`, made for this very table.

No event ids, no checks of values, no watermark: a yardstick for how fast this machine runs Python today, not a tool.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from queue import Queue
from threading import Thread
from typing import Any

import psycopg
from confluent_kafka import Producer
from psycopg.types.string import TextLoader

CHUNK = 10_000


def rows(dsn: str, query: str) -> Iterator[list[Any]]:
    """Chunks of rows whose values are the database's text, read by a thread, two ahead."""
    ahead: Queue[list[Any]] = Queue(2)

    def read() -> None:
        try:
            fetch()
        finally:
            ahead.put([])  # also where reading failed: then the topic is short of rows, which is found out

    def fetch() -> None:
        with psycopg.connect(dsn, options="-c TimeZone=UTC -c DateStyle=ISO") as connection:
            for kind in connection.adapters.types:
                connection.adapters.register_loader(kind.oid, TextLoader)
            with connection.cursor("bare") as cursor:
                cursor.execute(query.encode())
                while chunk := cursor.fetchmany(CHUNK):
                    ahead.put(chunk)

    Thread(target=read, daemon=True).start()
    return iter(ahead.get, [])


def escaped(text: str) -> str:
    """A JSON string."""
    return (
        f'"{text}"'
        if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text
        else json.dumps(text)
    )


def send(producer: Producer, topic: str, chunk: list[Any], *rest: Any) -> None:
    """Publish rows of the benchmark's table."""
    produce = producer.produce
    for key, customer, status, amount, currency, created, updated, note, attrs in chunk:
        value = (
            f'{{"specversion":"1.0","id":"{key}","source":"/legacy/orders","type":"legacy.orders.changed",'
            f'"time":"{updated[:10]}T{updated[11:-3]}Z","datacontenttype":"application/json","data":{{"id":{key},'
            f'"customer_id":{customer},"status":{escaped(status)},"amount":"{amount}","currency":{escaped(currency)},'
            f'"created_at":"{created[:10]}T{created[11:-3]}Z","updated_at":"{updated[:10]}T{updated[11:-3]}Z",'
            f'"note":{"null" if note is None else escaped(note)},"attrs":{attrs}}}}}'
        )
        try:
            produce(topic, value, key, *rest)
        except BufferError:
            producer.flush()
            produce(topic, value, key, *rest)


def main(dsn: str, query: str, bootstrap: str, topic: str, content_type: str, *settings: str) -> None:
    """Send everything; print rows, seconds and CPU seconds of the loop, and the highest memory of the process."""
    failed: list[Any] = []
    told: dict[str, Any] = dict(setting.split("=", 1) for setting in settings)
    told |= {name: True for name, value in told.items() if value == "true"}
    told |= {"bootstrap.servers": bootstrap, "on_delivery": lambda error, _: failed.append(error)}
    producer = Producer(told)
    rest = (-1, None, None, 0, [("content-type", content_type.encode())]) if content_type else ()
    sent, started, cpu = 0, time.perf_counter(), time.process_time()
    for chunk in rows(dsn, query):
        send(producer, topic, chunk, *rest)
        if producer.flush(60) or failed:
            raise SystemExit(f"messages were not delivered: {failed[:1]}")
        sent += len(chunk)
    found = {"rows": sent, "seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**found, "rss_mb": memory}))


if __name__ == "__main__":
    main(*sys.argv[1:])
