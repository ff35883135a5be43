"""A process that reads the binlog by python-mysql-replication, as its users do, and prints what that cost."""

from __future__ import annotations

import itertools
import json
import logging
import sys
import time
from collections.abc import Iterator
from typing import Any

from confluent_kafka import Producer
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.row_event import WriteRowsEvent

from airflow_legacy_events.brokers.kafka.config import producer_settings


def events(asked: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield key and CloudEvent of each inserted row of the table, as many as are known to be in the log."""
    connection, table = asked["connection"], asked["table"]
    reader = BinLogStreamReader(
        connection_settings={
            "host": connection["host"],
            "port": connection["port"],
            "user": connection["login"],
            "passwd": connection["password"],
        },
        server_id=2**31 + 4711,
        is_mariadb=True,
        auto_position=asked["gtid"],
        blocking=True,  # else the server resets the connection at the end: a byte of the request is left over
        only_events=[WriteRowsEvent],
        only_schemas=[connection["schema"]],
        only_tables=[table],
    )
    source, type_ = f"/legacy_crm/{connection['schema']}.{table}", f"legacy_crm.{connection['schema']}.{table}.changed"
    for found in reader:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(found.timestamp))
        for number, row in enumerate(found.rows, 1):
            values = row["values"]
            key = str(values["id"])
            event = {
                "specversion": "1.0",
                "id": f"{key}@{reader.log_pos},{number}",
                "source": source,
                "type": type_,
                "subject": key,
                "time": moment,
                "datacontenttype": "application/json",
                "op": "c",
                "data": values,
            }
            yield key, json.dumps(event, default=str)


def main(asked: dict[str, Any]) -> None:
    """Send everything; print seconds and CPU seconds, from before it connects to the last confirmation."""
    settings = producer_settings(
        {"bootstrap.servers": asked["bootstrap"]}, timeout_ms=120_000, smallest=2**20, log=logging.getLogger()
    )
    failed: list[Any] = []
    producer = Producer({**settings, "on_delivery": lambda error, _: failed.append(error) if error else None})
    began, cpu = time.perf_counter(), time.process_time()
    for number, (key, value) in enumerate(itertools.islice(events(asked), asked["rows"]), 1):
        try:
            producer.produce(asked["topic"], value, key)
        except BufferError:
            producer.flush()
            producer.produce(asked["topic"], value, key)
        if number % 10_000 == 0:
            producer.poll(0)
    producer.flush()
    if failed:
        sys.exit(f"{len(failed)} messages failed: {failed[0]}")
    print(json.dumps({"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
