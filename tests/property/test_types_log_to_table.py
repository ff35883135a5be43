"""Every type of a running server, sent from its change log and applied to a table of the same types: both are equal.

LEGACY_EVENTS_TEST_ROWS sets the rows of each type, LEGACY_EVENTS_TEST_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import Any

import psycopg
import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.envelopes.debezium import DebeziumEnvelope
from airflow_legacy_events.envelopes.maxwell import MaxwellEnvelope
from tests.services.mysql_family import connect, run
from tests.support.binlogs import BINLOGGED, SERVERS, binlogged_database
from tests.support.crashes import World
from tests.support.databases import fresh_database
from tests.support.legacy import plain
from tests.support.log_to_topic import send_log
from tests.support.mysql_catalog import SESSION as MYSQL_SESSION
from tests.support.mysql_catalog import known
from tests.support.mysql_values import SPATIAL
from tests.support.postgres_catalog import Catalog, prepare
from tests.support.postgres_oracle import SESSION
from tests.support.profile import LONG
from tests.support.slots import drop_slots, logged_database, logs_of
from tests.support.way_back import AMBIGUOUS, TOPIC, applied, carried, equal, json_of_mysql

ALL = LONG or "LEGACY_EVENTS_TEST_ROWS" in os.environ
ROWS = int(os.environ.get("LEGACY_EVENTS_TEST_ROWS", "30"))
SEED = int(os.environ.get("LEGACY_EVENTS_TEST_SEED", str(random.randrange(2**32))))
COLUMNS = 40
ENVELOPES = {
    "cloudevents": CloudEventsEnvelope,
    "debezium": DebeziumEnvelope,
    "debezium, decimals as texts": partial(DebeziumEnvelope, decimals="string"),
    "maxwell": MaxwellEnvelope,
}
DECIMALS = re.compile(r"(?:decimal|numeric|money|price)\b|price_again")
OF_DEBEZIUM = re.compile(r"interval|time with time zone|bit varying")
"""Types of PostgreSQL whose values Debezium changes: spans of months, zones of a time of day, bits in front."""

UNBOUNDED = re.compile(r"date|point|numeric|price")
"""Types with values that Debezium has no message for."""

pytestmark = pytest.mark.timeout(0 if ALL else 300)


@pytest.fixture
def r() -> random.Random:
    print(f"seed {SEED}: repeat with LEGACY_EVENTS_TEST_SEED={SEED}")
    return random.Random(SEED)


@pytest.fixture(params=[one for one in ENVELOPES if one != "maxwell"])
def of_postgres(request) -> Iterator[Any]:
    engine = "postgresql-18"
    with (
        logged_database(request, engine, fresh=True) as logged,
        fresh_database(request.getfixturevalue(logs_of(engine))) as target,
        psycopg.connect(plain(logged.legacy.url), autocommit=True, prepare_threshold=None) as one,
        psycopg.connect(target.dsn, autocommit=True, prepare_threshold=None) as other,
    ):
        for session in (one, other):
            session.execute(SESSION)
            prepare(session.execute)
        logged.patterns, logged.before = ("public.t",), True
        yield request.param, logged, target, (one, other)


@pytest.fixture(params=[(engine, envelope) for engine in BINLOGGED for envelope in ENVELOPES], ids=", ".join)
def of_mysql(request) -> Iterator[Any]:
    engine, envelope = request.param
    with (
        binlogged_database(request, engine) as logged,
        fresh_database(request.getfixturevalue(SERVERS[engine])) as target,
        closing(connect(logged.legacy.url)) as one,
        closing(connect(target.url)) as other,
    ):
        for session in (one, other):
            run(session, MYSQL_SESSION)
        logged.patterns, logged.before = (f"{logged.legacy.url.database}.t",), True
        yield envelope, logged, target, (one, other)


def groups(types: list[Any], r: random.Random) -> Iterator[list[Any]]:
    r.shuffle(types)
    types = types if ALL else types[:COLUMNS]
    for start in range(0, len(types), COLUMNS):
        yield types[start : start + COLUMNS]


def sent(logged: Any, envelope: str, execute: Any) -> MemoryBroker:
    """Send the first rows of table `s` as a snapshot, the others from the log."""
    world, broker = World(), MemoryBroker()
    for half in (f"id < {ROWS // 2}", f"id >= {ROWS // 2}"):
        execute(f"INSERT INTO t SELECT * FROM s WHERE {half}")
        send_log(logged, world, broker, TOPIC, ENVELOPES[envelope]())
    return broker


def options(envelope: str, types: Sequence[str]) -> dict[str, Any]:
    """What Debezium's messages without a schema leave open."""
    if not envelope.startswith("debezium"):
        return {}
    numbered = list(enumerate(types))
    scales = {f"c{at}": _scale(one) for at, one in numbered if DECIMALS.match(one)}
    if envelope != "debezium":
        scales = dict.fromkeys(scales)
    else:
        scales = {name: scale for name, scale in scales.items() if scale is not None}
    return {"decimal_scales": scales, "epoch_unit": {f"c{at}": _unit(one) for at, one in numbered}}


def _scale(type_: str) -> int | None:
    """Digits behind the point; None where each value tells its own."""
    declared = re.search(r"\(\d+,(\d+)\)", type_)
    return int(declared[1]) if declared else 2 if type_.startswith(("money", "price")) else None


def _unit(type_: str) -> str:
    digits = re.match(r"datetime\((\d)\)", type_)
    return "ms" if digits is not None and int(digits[1]) <= 3 else "us"


def test_every_type_of_postgresql(of_postgres, r):
    envelope, logged, target, (one, other) = of_postgres
    changed = re.compile("(?!)") if envelope == "cloudevents" else OF_DEBEZIUM
    stored = [known for known in Catalog(one) if known.make is not None and known.storable and not known.catalogs]
    types = [one for one in stored if not one.type.sql.endswith(AMBIGUOUS) and not changed.match(one.type.sql)]
    for some in groups(types, r):
        names = [one.type.sql for one in some]
        columns = ", ".join(f"c{at} {name}" for at, name in enumerate(names))
        drop_slots(logged.legacy.execute)
        for session in (one, other):
            session.execute("DROP PUBLICATION IF EXISTS " + logged.name)
            session.execute("DROP TABLE IF EXISTS t, s, legacy_events_watermarks")
            session.execute(f"CREATE TABLE t (id integer PRIMARY KEY, {columns})")
        one.execute("CREATE TABLE s (LIKE t)")
        with one.cursor() as cursor:
            rows = zip(range(ROWS), *(one.values(r, ROWS) for one in some), strict=True)
            cursor.executemany(f"INSERT INTO s VALUES ({', '.join(['%s'] * (len(some) + 1))})", list(rows))
        for at, name in enumerate(names):
            if envelope != "cloudevents" and UNBOUNDED.match(name):
                one.execute(f"UPDATE s SET c{at} = NULL WHERE c{at}::text ~* 'inf|nan'")
        broker = sent(logged, envelope, one.execute)
        applied(broker, target.url, envelope.partition(",")[0], **options(envelope, names))
        texts = ", ".join(f"CASE WHEN num_nulls(c{at}) = 0 THEN format('%s', c{at}) END" for at in range(len(some)))
        found = [list(session.execute(f"SELECT id, {texts} FROM t ORDER BY id")) for session in (one, other)]
        equal(*found, names, _shortest if envelope == "debezium" else carried, SEED)


def _shortest(text: Any, type_: str) -> Any:
    """Without the zeros behind a number that Debezium leaves out."""
    found = carried(text, type_)
    zeros = r"(\.\d*?)0+(?!\d)"
    return re.sub(r"\.(?!\d)", "", re.sub(zeros, r"\1", found)) if type_.startswith("numeric") and found else found


def test_every_type_of_mariadb_and_mysql(of_mysql, r):
    envelope, logged, target, (one, other) = of_mysql
    types = [found for found in known(one) if envelope != "maxwell" or found.sql not in SPATIAL]
    for some in groups(types, r):
        names = [found.sql for found in some]
        columns = ", ".join(f"c{at} {name}" for at, name in enumerate(names))
        for session in (one, other):
            run(session, "DROP TABLE IF EXISTS t, s, legacy_events_watermarks")
            made = f"CREATE TABLE t (id int PRIMARY KEY, {columns}) ROW_FORMAT = DYNAMIC DEFAULT CHARSET utf8mb4"
            session.query(made.encode())
        run(one, "CREATE TABLE s LIKE t")
        statement = f"INSERT INTO s VALUES ({', '.join(['%s', *(found.mark for found in some)])})"
        for row in zip(range(ROWS), *(found.values(r, ROWS) for found in some), strict=True):
            run(one, statement, *row)
        for at, name in enumerate(names):
            if (
                condition := _has_no_message(name, envelope, is_mariadb="maria" in logged.legacy.engine.name)
            ) is not None:
                run(one, f"UPDATE s SET c{at} = NULL WHERE {condition.format(f'c{at}')}")
        broker = sent(logged, envelope, partial(run, one))
        applied(broker, target.url, envelope.partition(",")[0], **options(envelope, names))
        reads = ", ".join(found.oracle.reads.format(f"c{at}") for at, found in enumerate(some))
        found = [run(session, f"SELECT id, {reads} FROM t ORDER BY id") for session in (one, other)]
        equal(*found, names, json_of_mysql, SEED)


def _has_no_message(type_: str, envelope: str, *, is_mariadb: bool) -> str | None:
    """The condition of values that an envelope can't hold, or that a reader can't tell from others."""
    if envelope == "maxwell":
        return "JSON_TYPE({}) NOT IN ('OBJECT', 'ARRAY')" if type_ == "json" and is_mariadb else None
    if envelope == "cloudevents":
        return None
    if type_.startswith("bigint") and ("unsigned" in type_ or "zerofill" in type_):
        return "{} > 9223372036854775807"
    if type_.startswith(("date", "timestamp")):
        return "CAST({0} AS CHAR) LIKE '0000%%' OR CAST({0} AS CHAR) LIKE '%%-00%%'"
    return None
