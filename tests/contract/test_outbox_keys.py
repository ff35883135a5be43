"""Rows are told apart by ids of any type, alone or beside another column, on every database."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from tests.support import outbox_tables
from tests.support.engines import EACH
from tests.support.legacy import reused_database
from tests.support.outbox_tables import drain, insert, left

TEXTS = ["a", "B b", "ä'\"\\%s:x", "{1,2}", "NULL", "  x"]
NUMBERS = [Decimal("1.50"), Decimal("-0.01"), Decimal("99999999.99")]
TIMES = [f"2026-11-01 08:00:00.{number:06}" for number in (0, 1, 500_000)]
IDS = {
    "sqlite": [
        ("text NOT NULL", TEXTS),
        ("int NOT NULL", [2**62, -5, 0]),
        ("NOT NULL", ["text", 7, b"\x00\xff"]),
        ("blob NOT NULL", [b"", b"\x00", b"\xff'"]),
        ("datetime NOT NULL", TIMES),
    ],
    "postgresql": [
        ("text", TEXTS),
        ("varchar(20)", TEXTS),
        ("char(20)", TEXTS),
        ("uuid", [uuid.uuid5(uuid.NAMESPACE_DNS, str(number)) for number in range(3)]),
        ("numeric(10, 2)", NUMBERS),
        ("bigint", [2**62, -5, 0]),
        ("bytea", [b"", b"\x00", b"\xff'\\"]),
        ("timestamptz", [f"{one}+00" for one in TIMES]),
        ("kind", ["one", "two, three"]),
        ("short", ["x", 'y"']),
        ("date", ["2026-11-01", "infinity"]),
    ],
    "mysql": [
        ("varchar(20) NOT NULL", TEXTS),
        ("char(20) NOT NULL", TEXTS),
        ("varchar(20) CHARACTER SET latin1 NOT NULL", TEXTS[:3]),
        ("decimal(10, 2) NOT NULL", NUMBERS),
        ("bigint unsigned NOT NULL", [2**64 - 1, 5, 1]),
        ("varbinary(20) NOT NULL", [b"", b"\x00", b"\xff'\\"]),
        ("datetime(6) NOT NULL", TIMES),
        ("timestamp(6) NOT NULL", TIMES),
    ],
    "firebird": [
        ("varchar(20) CHARACTER SET UTF8 NOT NULL", TEXTS),
        ("char(20) CHARACTER SET UTF8 NOT NULL", TEXTS),
        ("numeric(10, 2) NOT NULL", NUMBERS),
        ("bigint NOT NULL", [2**62, -5, 0]),
        ("timestamp NOT NULL", [TIMES[0][:-2], TIMES[2][:-2]]),
    ],
}


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        if found.dialect == "postgresql":
            found.execute("CREATE TYPE kind AS ENUM ('one', 'two, three'); CREATE DOMAIN short AS varchar(3)")
        yield found


def make(legacy, name, type_, values, key):
    """A table of rows that were written one by one, ordered by `seq`."""
    legacy.execute(
        f"CREATE TABLE {name} (seq integer NOT NULL, id {type_}, part integer NOT NULL, sent integer, type varchar(9),"
        f" aggregatetype varchar(9), aggregateid varchar(9), payload {legacy.engine.long_text}, PRIMARY KEY ({key}))"
    )
    for number, value in enumerate(values):
        insert(legacy, {"seq": number, "id": value, "part": 7, "sent": 0}, name=name)


@pytest.mark.parametrize("legacy", ["sqlite"], indirect=True)
def test_a_primary_key_that_may_be_null_serves_unless_it_is(legacy):
    make(legacy, "t", "uuid", ["a", "b"], "id")
    options = {"table": "t", "order_columns": ("seq",), "columns": {"timestamp": None}}
    assert [row["id"] for row in drain(legacy, **options)[0]] == ["a", "b"]
    insert(legacy, {"seq": 1, "part": 7}, name="t")
    with pytest.raises(ConfigurationError, match=r"column 'id' of table 't' .* is NULL"):
        drain(legacy, **options)


@pytest.mark.parametrize("key", ["id", "id, part"])
def test_rows_are_known_again_whatever_their_id_is(legacy, key):
    for at, (type_, values) in enumerate(IDS[legacy.dialect]):
        name = f"t{at}"
        make(legacy, name, type_, values, key)
        options = {"table": name, "order_columns": ("seq",), "columns": {"timestamp": None}}
        mark = {"after_publish": "mark", "mark_column": "sent", "mark_values": (0, 1)}

        marked, _ = drain(legacy, **options, **mark)
        assert left(legacy, name, "sent = 1", "seq") == [*range(len(values))], type_
        legacy.execute(f"UPDATE {name} SET sent = 0")  # one transaction, which on PostgreSQL is one version
        with outbox_tables.source(legacy, **options) as one, outbox_tables.lease(legacy, name) as held:
            [batch] = one.open(None).batches
            legacy.execute(f"UPDATE {name} SET payload = 'changed' WHERE seq = 1")
            one.acknowledge(outbox_tables.kept(batch.after).receipt, held)

        assert len(marked) == len(values), type_
        assert left(legacy, name, column="seq") == [1], type_
