"""What a drain reads of an outbox, whatever its columns are called and whatever types they have, on every database."""

from __future__ import annotations

import uuid

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import ConfigurationError
from tests.support import outbox_tables
from tests.support.engines import EACH, of
from tests.support.legacy import reused_database
from tests.support.outbox import Drain
from tests.support.outbox_tables import JSON, MOMENT, create, drain, insert, left, numbers

TOPIC = "outbox.event.order"


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


def only(*dialects, also=()):
    """The tests of these dialects alone."""
    return pytest.mark.parametrize("legacy", of(*dialects, also=also), indirect=True)


def sent(legacy, topic=TOPIC, *, headers=(), limits=None, **arguments):
    """The messages of one drain, and its report."""
    broker = MemoryBroker()
    report = Drain(legacy.url, broker, headers=headers, arguments=arguments).run(**(limits or {}))
    return broker.topic(topic), report


IDS = {
    "sqlite": ("text NOT NULL PRIMARY KEY", str),
    "postgresql": ("uuid PRIMARY KEY", str),
    "mysql": ("char(36) PRIMARY KEY", str),
    "firebird": ("char(36) PRIMARY KEY", str),
}
BYTES = {"mysql": "binary(16) PRIMARY KEY", "postgresql": "bytea PRIMARY KEY", "sqlite": "blob NOT NULL PRIMARY KEY"}


def test_rows_come_by_their_integer_id_and_go_with_their_acknowledgement(legacy):
    create(legacy)
    insert(legacy, *({"id": number} for number in (7, 3, 900_000_000_000, 4)))

    messages, report = sent(legacy, headers=(("eventType", "{event_type}"),), limits={"batch_rows": 3})

    assert [dict(one.headers) for one in messages] == [
        {"id": str(number), "eventType": "made"} for number in (3, 4, 7, 900_000_000_000)
    ]
    assert [(one.key, one.value) for one in messages] == [
        ("1", '{"n": 1}'),
        ("0", '{"n": 3}'),
        ("0", '{"n": 0}'),
        ("2", '{"n": 2}'),
    ]
    assert left(legacy) == []
    assert (report.completeness, report.rows, report.events, report.backlog["rows"]) == ("exact", 4, 4, 0)


@pytest.mark.parametrize("mode", ["delete", "mark"])
def test_ids_without_an_order_come_by_time(legacy, mode):
    type_, made = IDS[legacy.dialect]
    create(legacy, f"published_at {MOMENT[legacy.dialect]}", number=type_)
    ids = [made(uuid.uuid4()) for _ in range(5)]
    for at, one in enumerate(ids):
        insert(legacy, {"id": one, "created_at": f"2026-11-0{5 - at} 08:00:00"})

    messages, report = sent(legacy, after_publish=mode, limits={"batch_rows": 2})

    assert [dict(one.headers)["id"].strip() for one in messages] == ids[::-1]
    assert all(one.timestamp and one.timestamp % 3_600_000 == 0 for one in messages)
    assert len(left(legacy)) == (0 if mode == "delete" else 5)
    assert left(legacy, where="published_at IS NULL") == []
    assert sent(legacy, after_publish=mode)[0] == []
    assert report.backlog["rows"] == 0


@only("mysql", "postgresql", "sqlite")
def test_binary_ids_are_told_apart(legacy):
    create(legacy, number=BYTES[legacy.dialect])
    for at in range(3):
        insert(legacy, {"id": bytes([0, 255, at, 92] * 4), "created_at": f"2026-11-0{at + 1} 08:00:00"})

    rows, mark = drain(legacy, batch_rows=2)

    assert len(rows) == 3
    assert left(legacy) == []
    assert mark.values[1] == bytes([0, 255, 2, 92] * 4).hex() or mark.values[1].endswith("00ff025c")


@only("postgresql", "mysql")
def test_a_key_of_several_columns_holds_the_id(legacy):
    """As a partitioned table needs it."""
    split = {
        "postgresql": "PARTITION BY RANGE (created_at)",
        "mysql": "PARTITION BY RANGE COLUMNS (created_at) (PARTITION a VALUES LESS THAN ('2026-11-02'),"
        " PARTITION b VALUES LESS THAN (MAXVALUE))",
    }[legacy.dialect]
    columns = "id bigint NOT NULL, aggregatetype varchar(9), aggregateid varchar(9), type varchar(9), payload text"
    moment = MOMENT[legacy.dialect]
    legacy.execute(
        f"CREATE TABLE outbox ({columns}, created_at {moment} NOT NULL, sent {moment}, PRIMARY KEY (id, created_at))"
        f" {split}"
    )
    if legacy.dialect == "postgresql":
        for name, low, high in (("a", "2026-11-01", "2026-11-02"), ("b", "2026-11-02", "2026-11-09")):
            legacy.execute(f"CREATE TABLE part_{name} PARTITION OF outbox FOR VALUES FROM ('{low}') TO ('{high}')")
    for number, day in ((1, 3), (2, 1), (3, 3), (4, 1)):
        insert(legacy, {"id": number, "created_at": f"2026-11-0{day} 08:00:00.5"})

    marked, mark = drain(legacy, batch_rows=3, after_publish="mark", mark_column="sent")
    again, _ = drain(legacy, mark, after_publish="mark", mark_column="sent")
    deleted, _ = drain(legacy, batch_rows=3, order_columns=("created_at", "id"))

    assert (numbers(marked), again) == ([1, 2, 3, 4], [])
    assert numbers(deleted) == [2, 4, 1, 3]
    assert left(legacy) == []


def test_columns_may_be_called_otherwise_or_be_missing(legacy):
    moment = MOMENT[legacy.dialect]
    key = outbox_tables.NUMBER[legacy.dialect]
    legacy.execute(
        f"CREATE TABLE outbox (seq {key}, event_id varchar(36) NOT NULL UNIQUE, subject varchar(20), body"
        f" {legacy.engine.long_text}, happened {moment} NOT NULL, milliseconds bigint, part integer, extra"
        f" {'varchar(99)' if 'JSON' in legacy.engine.lacks else JSON[legacy.dialect]})"
    )
    legacy.execute(
        "INSERT INTO outbox (event_id, subject, body, happened, milliseconds, part, extra) VALUES"
        " ('e2', 's', 'text', '2026-11-01 08:00:00', 1761984000123, 2, '{\"trace\": \"x\"}'),"
        " ('e1', 's', NULL, '2026-11-01 07:00:00', 1761984000124, NULL, NULL)"
    )
    columns = {
        "id": "event_id",
        "aggregate_type": None,
        "event_type": None,
        "aggregate_id": "subject",
        "payload": "body",
        "headers": "extra",
        "timestamp": "milliseconds",
        "partition": "part",
    }
    broker = MemoryBroker()
    arguments = {"columns": columns, "order_columns": ("seq",)}
    Drain(legacy.url, broker, topic="t", headers=(("by", "{seq}/{partition}"),), arguments=arguments).run()
    messages = broker.topic("t")

    assert [(one.key, one.value, one.timestamp) for one in messages] == [
        ("s", "text", 1761984000123),
        ("s", None, 1761984000124),
    ]
    assert [one.headers for one in messages] == [
        (("id", "e2"), ("by", "1/2"), ("trace", "x")),
        (("id", "e1"),),
    ]
    assert left(legacy, column="seq") == []


PAYLOADS = {
    "sqlite": ["text", "json", "blob", ""],
    "postgresql": ["text", "json", "jsonb", "bytea", "varchar(99)"],
    "mysql": ["longtext", "json", "longblob", "varbinary(99)"],
    "firebird": ["blob sub_type text", "varchar(99)", "blob"],
}


def test_a_payload_of_any_type_is_carried_as_it_is(legacy):
    """PostgreSQL's `jsonb` and MySQL's `json` write a document anew when it is stored, all others keep each byte."""
    document = '{"b":  1.50,"ä":[null, "x"]}'
    anew = {
        ("postgresql", "jsonb"): '{"b": 1.50, "ä": [null, "x"]}',
        ("mysql", "json"): '{"b": 1.5, "ä": [null, "x"]}',
    }
    for at, type_ in enumerate(PAYLOADS[legacy.dialect]):
        if type_ == "json" and "JSON" in legacy.engine.lacks:
            continue
        binary = any(word in type_ for word in ("bytea", "bin", "blob")) and "text" not in type_
        create(legacy, payload=type_, name=f"outbox{at}")
        insert(
            legacy,
            {"payload": document.encode() if binary else document},
            {"payload": None},
            *([{"payload": b"\x00\xff\\x"}] if binary else []),
            name=f"outbox{at}",
        )

        messages, _ = sent(legacy, table=f"outbox{at}")

        written = anew.get((legacy.engine.name.partition("-")[0], type_), document)
        values = [one.value.encode() if isinstance(one.value, str) else one.value for one in messages]
        assert values[0].decode() == written, type_
        assert values[1:] == [None, *([b"\x00\xff\\x"] if binary else [])], type_
        assert left(legacy, f"outbox{at}") == []


def test_one_column_may_play_several_roles(legacy):
    create(legacy)
    insert(legacy, {"type": "a"}, {"type": "b"})

    roles = {"aggregate_type": "type", "event_type": "type", "aggregate_id": "id", "payload": "id", "timestamp": None}
    messages, _ = sent(legacy, "outbox.event.b", columns=roles)

    assert [(one.key, one.value) for one in messages] == [("2", "2")]
    assert left(legacy) == []


CONDITIONS = [
    "part = 1",
    "part = 1 -- those of one shard: 100%",
    "part = 1 /* a:b */ AND note LIKE '%:x%'",
    "part = 2 OR part = 1 AND note = '50% :a; (' ",
    "part = 1)  OR (part = 2",
]


def test_a_condition_says_which_rows_are_the_drain_s(legacy):
    create(legacy, "part integer", "note varchar(20)")
    insert(legacy, *({"part": at % 2, "note": "a:x"} for at in range(6)), {"part": 2, "note": "b"})
    seen = []
    for condition in CONDITIONS[:4]:
        with outbox_tables.source(legacy, where=condition) as one:
            seen.append(numbers([row for batch in one.open(None).batches for row in outbox_tables.named(batch)]))
    assert seen == [[2, 4, 6], [2, 4, 6], [2, 4, 6], [7]]
    assert numbers(drain(legacy, where=CONDITIONS[1])[0]) == [2, 4, 6]
    assert left(legacy) == [1, 3, 5, 7]


@pytest.mark.parametrize(
    ("condition", "fault"),
    [
        (CONDITIONS[4], "closes a bracket"),
        ("part = 1; DELETE FROM outbox", "holds 2 statements"),
        ("(part = 1", "leaves a bracket open"),
        ("nothing = 1", "(?i)nothing"),
    ],
)
def test_what_is_no_condition_is_refused(legacy, condition, fault):
    create(legacy, "part integer")
    insert(legacy, {"part": 1})
    with (
        outbox_tables.source(legacy, where=condition) as one,
        pytest.raises(ConfigurationError, match=fault) as refused,
    ):
        one.open(None)
    assert "where=" in str(refused.value)
    assert "sql=" not in str(refused.value)
    assert left(legacy) == [1]


def test_what_becomes_visible_behind_the_pass_comes_with_the_next_run(legacy):
    create(legacy)
    insert(legacy, *({"id": number} for number in (10, 20, 30)))
    with outbox_tables.source(legacy, batch_rows=1) as one, outbox_tables.lease(legacy) as held:
        _, batches = one.open(None)
        first = next(batches)
        insert(legacy, {"id": 5}, {"id": 15}, {"id": 35})
        rest = list(batches)
        for batch in (first, *rest):
            one.acknowledge(batch.after.receipt, held)
    read = [row for batch in (first, *rest) for row in outbox_tables.named(batch)]
    assert numbers(read) in ([10, 15, 20, 30], [10, 20, 30])
    assert rest[-1].final
    assert left(legacy) == sorted({5, 10, 15, 20, 30, 35} - {*numbers(read)})
    assert numbers(drain(legacy)[0]) == [number for number in (5, 15, 35) if number not in numbers(read)]


def test_the_budget_ends_a_run_and_the_backlog_tells_what_is_left(legacy):
    create(legacy)
    insert(legacy, *({"created_at": "2026-11-01 08:00:00"} for _ in range(5)))

    _, report = sent(legacy, limits={"batch_rows": 2, "max_rows": 3})

    assert (report.rows, report.target_reached, left(legacy)) == (3, False, [4, 5])
    assert report.backlog["rows"] == 2
    assert report.backlog["oldest_seconds"] > 0
