"""The table rebuilt from the topic of a real broker, over several runs with changes between, ties over every border."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_legacy_events.brokers.kafka import KafkaBroker
from tests.support.brokers import opened
from tests.support.engines import EACH
from tests.support.legacy import Legacy, legacy_database
from tests.support.profile import LONG
from tests.support.streams import Deliveries

LARGE = 1_000_000 if LONG else 20_500
SIZES = [(1, 60), (7, 500), (10_000, LARGE)]
MODES = [(), ("id",), ("updated_at",), ("updated_at", "id")]
SERIES = (
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
    " INSERT INTO orders SELECT i + {first}, 'row ' || i, NULL, '{at}' FROM n"
)
IN_FIREBIRD = (
    "EXECUTE BLOCK AS DECLARE i INTEGER = 1; BEGIN WHILE (i <= {count}) DO BEGIN"
    " INSERT INTO orders VALUES (:i + {first}, 'row ' || :i, NULL, '{at}'); i = i + 1; END END"
)
SLOW = ("firebird", "mysql-5.6")
"""Their drivers, or their optimizer, make 10 000 rows a matter of long runs."""

CASES = [(dialect, *size) for dialect in EACH if dialect not in SLOW for size in (SIZES if LONG else SIZES[::2])]
CASES += [(dialect, *size) for dialect in SLOW for size in (SIZES if LONG else SIZES[1:2])]


@pytest.fixture
def legacy(request) -> Iterator[Legacy]:
    with legacy_database(request, request.param) as made:
        integer = "INTEGER" if made.dialect == "sqlite" else "bigint"
        made.execute(
            f"CREATE TABLE orders (id {integer} PRIMARY KEY, note text, amount {integer},"
            " updated_at timestamp NOT NULL)"
        )
        made.execute("CREATE INDEX orders_updated ON orders (updated_at, id)")
        yield made


def insert(legacy: Legacy, first: int, count: int, at: str) -> None:
    """All rows carry one time, so every border between batches lies inside a tie."""
    if legacy.dialect != "mysql":
        series = IN_FIREBIRD if legacy.dialect == "firebird" else SERIES
        legacy.execute(series.format(first=first, count=count, at=at))
        return
    for begin in range(1, count + 1, 5_000):
        numbers = range(begin, min(begin + 5_000, count + 1))
        rows = ",".join(f"({i + first}, 'row {i}', NULL, '{at}')" for i in numbers)
        legacy.execute(f"INSERT INTO orders VALUES {rows}")


def table(legacy: Legacy) -> dict[int, tuple[object, ...]]:
    return {row[0]: row[1:] for row in legacy.execute("SELECT id, note, amount FROM orders")}


def rebuilt(events: list[dict]) -> dict[int, tuple[object, ...]]:
    return {event["data"]["id"]: (event["data"]["note"], event["data"]["amount"]) for event in events}


@pytest.mark.parametrize(("legacy", "batch_rows", "rows"), CASES, indirect=["legacy"])
@pytest.mark.parametrize("columns", MODES, ids=lambda columns: "+".join(columns) or "bulk")
def test_the_topic_gives_the_table(legacy, kafka, topics, columns, batch_rows, rows):
    topic = topics.make()
    broker: KafkaBroker = opened(kafka, topic)
    stream = Deliveries(str(legacy.url.render_as_string(hide_password=False)), broker, topic, name=f"orders@{topic}")
    stream.options = {"watermark_columns": columns}
    insert(legacy, 0, rows, "2026-01-01 00:00:00")
    assert stream.run(batch_rows=batch_rows).events == rows

    insert(legacy, rows, rows // 2, "2026-01-02 00:00:00")
    if columns != ("id",):  # whose rows never change
        legacy.execute("UPDATE orders SET amount = 7, updated_at = '2026-01-03 00:00:00' WHERE id % 3 = 0")
        legacy.execute("UPDATE orders SET note = NULL, updated_at = '2026-01-03 00:00:00' WHERE id % 5 = 0")
    before = len(topics.read(topic))
    last = stream.run(batch_rows=batch_rows)
    assert last.target_reached
    assert stream.run(batch_rows=batch_rows).events == (len(table(legacy)) if not columns else 0)

    found = [message.event for message in topics.read(topic)]
    assert rebuilt(found[before:] if not columns else found) == table(legacy)
    assert len({event["id"] for event in found}) == len(found)
