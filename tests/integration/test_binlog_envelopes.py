"""Messages of the binlog of real servers, as Maxwell and Debezium have them, and marks of its transactions."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.envelopes.debezium import DebeziumEnvelope
from airflow_legacy_events.envelopes.maxwell import MaxwellEnvelope
from airflow_legacy_events.envelopes.transactions import TransactionsEnvelope
from airflow_legacy_events.sources.changelog import ChangeLogSource
from tests.support.binlogs import BINLOGGED, binlogged_database
from tests.support.crashes import STREAM, World
from tests.support.log_runs import LogProcess, SteppedBroker, ended

ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, status varchar(9), total decimal(10,2), fits json, f float)"
NAMES = "CREATE TABLE names (id int PRIMARY KEY, name text)"


TYPES = {
    "t": ("tinyint", "-128"),
    "tu": ("tinyint unsigned", "255"),
    "flag": ("boolean", "true"),
    "su": ("smallint unsigned", "65535"),
    "mu": ("mediumint unsigned", "16777215"),
    "iz": ("int(5) zerofill", "42"),
    "bu": ("bigint unsigned", "18446744073709551615"),
    "d": ("decimal(30,5) unsigned", "12345678901234567890.5"),
    "f": ("float", "1.1"),
    "r": ("double", "1e100"),
    "b1": ("bit(1)", "1"),
    "b9": ("bit(9)", "b'100000001'"),
    "y": ("year", "1999"),
    "da": ("date", "'1000-01-01'"),
    "zero": ("date", "'0000-00-00'"),
    "ti": ("time(3)", "'-838:59:58.999'"),
    "dt": ("datetime(6)", "'2026-01-02 03:04:05.123456'"),
    "dt0": ("datetime", "'2026-01-02 03:04:05'"),
    "ts": ("timestamp(2) NULL", "'2026-01-02 03:04:05.12'"),
    "c": ("char(5)", "'x '"),
    "v": ("varchar(20)", "'é€'"),
    "bi": ("binary(4)", "0x0102"),
    "vb": ("varbinary(9)", "0x00ff"),
    "bl": ("blob", "0x00ff"),
    "tx": ("text", "'long'"),
    "e": ("enum('a','b')", "'b'"),
    "s": ("set('x','y','z')", "'x,z'"),
    "p": ("point", "ST_GeomFromText('POINT(1 2.5)')"),
    "g": ("geometry", "ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')"),
}
"""A column and a value of each type."""

LAX = "SET SESSION sql_mode = ''"


class Stream:
    """A stream of a database, whose runs send to a broker in memory."""

    def __init__(self, binlogged):
        self.binlogged, self.world, self.broker = binlogged, World(), MemoryBroker()
        self.read: dict[str, int] = {}

    def run(self, envelope, **options):
        """Run once; return the messages of `orders` and of its transactions."""
        source = ChangeLogSource(
            database=self.binlogged.legacy.database(60.0),
            options=self.binlogged.options._replace(before=True),
            stream=STREAM._replace(topic="{table}"),
            source="shop_db",
            tables=self.binlogged.patterns,
            images="both",
            **options,
        )
        process = LogProcess(self.world, source, None, float)
        process.broker, process.envelope = SteppedBroker(process, self.broker), envelope
        process.relay.stream = STREAM._replace(topic="{table}", transactions="transaction_topic" in options)
        with closing(source.database), closing(source):
            try:
                process.run()
            finally:
                ended()
        return self.new("orders")

    def new(self, topic):
        """Return the messages of a topic that are new since the last look."""
        found = self.broker.topic(topic)
        first, self.read[topic] = self.read.get(topic, 0), len(found)
        return found[first:]


@pytest.fixture(params=BINLOGGED)
def stream(request):
    """A stream with one row, of a server with a log."""
    orders = ORDERS if request.param != "mysql-5.6" else ORDERS.replace("json", "text")
    with binlogged_database(
        request, request.param, orders, NAMES, "INSERT INTO orders VALUES (1, 'new', 1.50, '[1.10]', 0.1)"
    ) as binlogged:
        yield Stream(binlogged)


def changes(stream):
    """One transaction with an UPDATE of the key between others."""
    stream.binlogged.transaction(
        "INSERT INTO orders VALUES (2, 'a', 0.10, NULL, NULL), (3, 'b', NULL, NULL, NULL)",
        "UPDATE orders SET status = 'paid' WHERE id = 1",
        "UPDATE orders SET id = 9 WHERE id = 3",
        "INSERT INTO names VALUES (1, 'x')",
        "DELETE FROM orders WHERE id = 2",
    )


def jsons(messages):
    return [None if one.value is None else json.loads(one.value) for one in messages]


def test_maxwell(stream):
    product = "mysql" if "mysql" in stream.binlogged.legacy.engine.name else "mariadb"
    start, row, end = stream.run(MaxwellEnvelope(), marks_snapshots=True)
    assert [json.loads(one.value)["type"] for one in (start, row, end)] == [
        *("bootstrap-start", "bootstrap-insert", "bootstrap-complete"),
    ]
    loaded = [1.1] if stream.binlogged.legacy.engine.name == "mysql-9.7" else "[1.10]"
    assert json.loads(row.value)["data"] == {"id": 1, "status": "new", "total": 1.5, "fits": loaded, "f": 0.1}
    assert '"total":1.50,' in row.value

    changes(stream)
    messages = stream.run(MaxwellEnvelope(), marks_snapshots=True)
    found = jsons(messages)
    database = stream.binlogged.legacy.url.database
    assert [one.key for one in messages] == [
        f'{{"database":"{database}","table":"orders","pk.id":{number}}}' for number in (2, 3, 1, 9, 2)
    ]
    assert [(one["type"], one.get("old")) for one in found] == [
        *(("insert", None), ("insert", None), ("update", {"status": "new"}), ("update", {"id": 3}), ("delete", None)),
    ]
    assert [(one.get("xoffset"), one.get("commit")) for one in found] == [
        *((0, None), (1, None), (2, None), (3, None), (None, True)),
    ]
    assert len({one["xid"] for one in found}) == len({one["gtid"] for one in found}) == 1
    files = {one["position"].rpartition(":")[0] for one in found}
    positions = [int(one["position"].rpartition(":")[2]) for one in found]
    assert (len(files), positions) == (1, sorted(positions))
    assert positions[0] == positions[1] < positions[2]
    assert {one["server_id"] for one in found} == {stream.binlogged.execute("SELECT @@server_id")[0][0]}
    assert product == "mariadb" or "thread_id" in found[0]


def test_debezium(stream):
    (row,) = jsons(stream.run(DebeziumEnvelope()))
    product = "mysql" if "mysql" in stream.binlogged.legacy.engine.name else "mariadb"
    assert (row["op"], row["source"]["connector"], row["source"]["snapshot"]) == ("r", product, "true")
    assert row["source"]["name"] == "shop_db"
    assert row["source"]["pos"] > 4

    changes(stream)
    found = jsons(stream.run(DebeziumEnvelope()))
    assert [None if one is None else one["op"] for one in found] == ["c", "c", "u", "d", None, "c", "d", None]
    whole = [one for one in found if one is not None]
    assert whole[2]["before"] | {"status": "paid"} == whole[2]["after"]
    assert whole[2]["after"]["total"] == "AJY="
    assert [one["source"]["row"] for one in whole] == [0, 1, 0, 0, 0, 0]
    assert {one["source"]["db"] for one in whole} == {stream.binlogged.legacy.url.database}
    assert len({one["source"]["gtid"] for one in whole}) == 1
    assert {one["source"]["snapshot"] for one in whole} == {"false"}


def test_transactions_are_counted_under_their_names(stream):
    envelope = TransactionsEnvelope(CloudEventsEnvelope())
    stream.run(envelope, transaction_topic="tx")
    assert stream.new("tx") == []
    changes(stream)
    stream.binlogged.execute("INSERT INTO names VALUES (2, 'y')")
    events = stream.run(envelope, transaction_topic="tx")
    marks = jsons(stream.new("tx"))
    assert [(one["status"], one["event_count"]) for one in marks] == [
        *(("BEGIN", None), ("END", 7), ("BEGIN", None), ("END", 1)),
    ]
    (name,) = {one["transactionid"] for one in jsons(events)}
    assert marks[0]["id"] == marks[1]["id"] == name
    assert name == json.loads(events[0].value)["id"].partition("@")[2].partition(",")[0]
    assert marks[2]["id"] != name


@pytest.mark.parametrize("envelope", [CloudEventsEnvelope, MaxwellEnvelope, DebeziumEnvelope])
def test_values_of_each_type_are_the_same_in_snapshot_and_log(stream, envelope):
    columns = ", ".join(f"{name} {type_}" for name, (type_, _) in TYPES.items())
    values = ", ".join(value for _, value in TYPES.values())
    with stream.binlogged.legacy.connect() as session:
        session.execute(LAX)
        session.execute(f"CREATE TABLE everything (id int PRIMARY KEY, {columns})")
        session.execute(f"INSERT INTO everything VALUES (1, {values}), (2{', NULL' * len(TYPES)})")
        stream.run(envelope())
        session.execute(f"INSERT INTO everything VALUES (1001, {values}), (1002{', NULL' * len(TYPES)})")
    stream.run(envelope())
    read = jsons(stream.new("everything"))
    rows = [found.get("after", found) for found in (one.get("data", one) for one in read)]
    assert [one.pop("id") for one in rows] == [1, 2, 1001, 1002]
    assert rows[0] == rows[2]
    assert rows[1] == rows[3] == dict.fromkeys(TYPES)
