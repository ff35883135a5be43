"""SQLite keeps any value in any column: what a plain consumer reads is what the file holds, or the column is named.

LEGACY_EVENTS_TEST_ROWS sets the rows of each type, LEGACY_EVENTS_TEST_SEED repeats a run.
"""

from __future__ import annotations

import base64
import math
import os
import random
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from airflow_legacy_events.errors import EnvelopeError
from tests.support.brokers import opened
from tests.support.json_oracle import Number, members, parsed
from tests.support.postgres_values import clock, day, document, text
from tests.support.streams import Deliveries

ROWS = int(os.environ.get("LEGACY_EVENTS_TEST_ROWS", "200"))
SEED = int(os.environ.get("LEGACY_EVENTS_TEST_SEED", str(random.randrange(2**32))))

WHOLE = (0, -1, 2**63 - 1, -(2**63), 2**53 + 1)
REAL = (0.1, -0.5, 1e300, 5e-324, 0.30000000000000004, math.inf, -math.inf)


def whole(r):
    return r.choice((*WHOLE, r.randint(-(2**63), 2**63 - 1)))


def real(r):
    return r.choice((*REAL, r.uniform(-1e6, 1e6) + 0.25))


def blob(r):
    return r.randbytes(r.randint(0, 9))


def anything(r):
    return r.choice((whole, real, text, blob))(r)


MADE = {
    "": anything,
    "GEOMETRY": lambda r: r.choice((text, blob))(r),
    "INTEGER": whole,
    "BIGINT UNSIGNED": whole,
    "BOOLEAN": lambda r: r.choice((0, 1, "true", "f")),
    "DECIMAL(10,2)": lambda r: r.choice((whole, real))(r),
    "REAL": lambda r: r.choice((real(r), 5)),
    "VARCHAR(20)": text,
    "TEXT": text,
    "DATE": day,
    "TIME": clock,
    "TIMESTAMP": lambda r: f"{day(r)} {clock(r)}",
    "TIMESTAMPTZ": lambda r: f"{day(r)} {clock(r)}+00:00",
    "UUID": lambda r: r.randbytes(16).hex() + "-",
    "JSON": lambda r: document(r) + " ",
    "BLOB": blob,
}
WRONG = {
    "INTEGER": ("abc", 1.5, b"\x00"),
    "BOOLEAN": (2, "yes", b"1"),
    "DECIMAL(10,2)": ("abc", b"1"),
    "REAL": ("abc", b"1"),
    "TEXT": (b"abc",),
    "DATE": (20261123, b"x"),
    "TIMESTAMP": (1700000000, "23.11.2026", 1.5, b"x"),
    "TIMESTAMPTZ": (1700000000, "soon"),
    "JSON": ("{", b"{}"),
    "BLOB": ("abc", 5),
}


def number(value: float) -> Any:
    names = {"inf": "Infinity", "-inf": "-Infinity"}
    return names.get(repr(value)) or Number(repr(value))


def moment(value: str) -> str:
    day_, _, rest = value.removesuffix("+00:00").partition(" ")
    whole_, _, fraction = rest.partition(".")
    return f"{day_}T{whole_}.{fraction:0<6}Z"


def expected(declared: str, value: Any) -> Any:
    """What a message must hold of what sqlite3 itself reads."""
    if declared == "BOOLEAN":
        return value in (1, "true")
    if declared == "DECIMAL(10,2)":
        return str(number(value))
    if declared == "JSON" and isinstance(value, str):
        return parsed(value)
    if declared.startswith("TIMESTAMP"):
        return moment(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value if isinstance(value, str) else number(value)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "legacy.db"


def stream(path, broker, topic) -> Deliveries:
    return Deliveries(f"sqlite:///{path}", broker, topic, table="t", envelope=PlainEnvelope())


@pytest.mark.timeout(0 if "LEGACY_EVENTS_TEST_ROWS" in os.environ else 300)
def test_what_a_consumer_reads_is_what_the_file_holds(path, kafka, topics):
    print(f"seed {SEED}: repeat with LEGACY_EVENTS_TEST_SEED={SEED}")
    r = random.Random(SEED)
    names = [f"{name}" for name in r.sample([f"c {at}%" for at in range(40)], len(MADE))]
    columns = ", ".join(f'"{name}" {declared}' for name, declared in zip(names, MADE, strict=True))
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, {columns})")
        rows = [(at, *(None if r.random() < 0.1 else make(r) for make in MADE.values())) for at in range(ROWS)]
        file.execute("BEGIN")
        file.executemany(f"INSERT INTO t VALUES ({', '.join('?' * (len(MADE) + 1))})", rows)
        file.execute("COMMIT")
        held = {str(row[0]): row[1:] for row in file.execute("SELECT * FROM t")}
    topic = topics.make()
    broker = opened(kafka, topic)
    assert stream(path, broker, topic).run().events == ROWS
    broker.close()
    for message in topics.read(topic):
        data = members(parsed(message.value))
        for name, declared, value in zip(names, MADE, held.pop(message.key), strict=True):
            found, wanted = data[name], None if value is None else expected(declared, value)
            assert (type(found), found) == (type(wanted), wanted), f"seed {SEED}, {declared or 'no type'}"
    assert not held


@pytest.mark.parametrize(("declared", "value"), [(declared, value) for declared in WRONG for value in WRONG[declared]])
def test_a_value_of_another_type_is_an_error_that_names_the_column_and_sends_nothing(path, declared, value):
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, odd {declared})")
        file.execute("INSERT INTO t VALUES (1, NULL), (2, ?)", (value,))
    broker = MemoryBroker()
    with pytest.raises(EnvelopeError, match=r"column 'odd' is declared .*CAST\(odd AS"):
        stream(path, broker, "t").run()
    assert broker.topic("t") == []
