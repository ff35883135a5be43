"""Triggers for an outbox on SQLite, where a column keeps any value."""

import json
import math
import random
import struct

import pytest

from tests.airflow import metadata
from tests.support.outbox_commands import CONN_ID, application_on


@pytest.fixture
def application(request, capsys):
    with application_on(request, capsys, "sqlite") as found:
        found.make_outbox()
        yield found


@pytest.fixture
def shop(application):
    application.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, doc JSON, n NUMERIC)")
    application.install("t", "v,doc,n")
    return application


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"\x00\xff\x10", "00FF10"),
        (None, None),
        ("x'00'", "x'00'"),
        ('q"\\\n ü 😀', 'q"\\\n ü 😀'),
    ],
)
def test_a_value_is_written_by_the_class_in_which_it_is_stored(shop, value, found):
    shop.run("INSERT INTO t (id, v) VALUES (1, ?)", value)
    assert shop.events() == [("created", "1", {"v": found, "doc": None, "n": None})]


@pytest.mark.parametrize(
    ("value", "found"),
    [(2**63 - 1, 2**63 - 1), (-(2**63), -(2**63)), (math.inf, "Infinity"), (-math.inf, "-Infinity"), (b"\x01", "01")],
)
def test_numbers_at_their_limits(shop, value, found):
    shop.run("INSERT INTO t (id, n) VALUES (1, ?)", value)
    assert shop.events()[0][2]["n"] == found


def test_every_number_is_read_back_as_it_is(application):
    application.run("CREATE TABLE r (id INTEGER PRIMARY KEY, x REAL)")
    application.install("r", "x")
    some = random.Random(7)
    numbers = [0.1, 0.1 + 0.2, 1.0, -0.5, 1e300, 5e-324, 1.7976931348623157e308, 123456789.123456789]
    numbers += [struct.unpack("<d", some.randbytes(8))[0] for _ in range(500)]
    numbers = [one for one in numbers if math.isfinite(one)]
    for number in numbers:
        application.run("INSERT INTO r (x) VALUES (?)", number)
    found = application.run("SELECT payload FROM outbox ORDER BY id")
    assert [json.loads(payload)["x"] for (payload,) in found] == numbers
    assert found[0] == ('{"x":0.1}',)


def test_json_is_json_where_it_is_declared_and_valid(shop):
    shop.run("INSERT INTO t (id, doc) VALUES (1, ?)", '{"b" : 1.10}')
    shop.run("INSERT INTO t (id, doc) VALUES (2, ?)", "{broken")
    shop.run("INSERT INTO t (id, v) VALUES (3, ?)", '{"b" : 1.10}')
    payloads = [payload for (payload,) in shop.run("SELECT payload FROM outbox ORDER BY id")]
    assert payloads[0] == '{"v":null,"doc":{"b" : 1.10},"n":null}'
    assert json.loads(payloads[1])["doc"] == "{broken"
    assert json.loads(payloads[2])["v"] == '{"b" : 1.10}'


@pytest.mark.parametrize(
    ("value", "key"), [("a", "a"), (1, "1"), (1.5, "1.5"), (b"\x00\xff", "00FF"), (math.inf, "Infinity"), (None, "")]
)
def test_keys_of_any_class_are_their_text(application, value, key):
    application.run("CREATE TABLE t (k PRIMARY KEY, v)")
    application.install("t", "v")
    application.run("INSERT INTO t VALUES (?, 1)", value)
    application.run("UPDATE t SET v = 2")
    application.run("DELETE FROM t")
    assert [(type_, found) for type_, found, _ in application.events()] == [
        ("created", key),
        ("updated", key),
        ("deleted", key),
    ]


def test_a_replaced_row_is_deleted_first_where_triggers_recur(shop):
    assert "-- REPLACE deletes a row that is in its way without an event" in shop.trigger("t", "v")
    shop.run("INSERT INTO t (id) VALUES (1)")
    shop.run("REPLACE INTO t (id) VALUES (1)")
    shop.run("PRAGMA recursive_triggers = ON")
    shop.run("REPLACE INTO t (id) VALUES (1)")
    assert [type_ for type_, *_ in shop.events()] == ["created", "created", "deleted", "created"]


def test_a_row_that_a_foreign_key_deletes_is_an_event(shop):
    shop.run("PRAGMA foreign_keys = ON")
    shop.run("CREATE TABLE child (id INTEGER PRIMARY KEY, t REFERENCES t ON DELETE CASCADE)")
    shop.install("child", "t")
    shop.run("INSERT INTO t (id) VALUES (1)")
    shop.run("INSERT INTO child VALUES (5, 1)")
    shop.run("DELETE FROM t")
    assert ("deleted", "5", {"t": 1}) in shop.events()


def test_a_table_without_rowid_and_names_in_another_case(application):
    application.run(
        "CREATE TABLE Items (Code TEXT NOT NULL, Twice AS (Code || Code), PRIMARY KEY (Code)) WITHOUT ROWID"
    )
    application.install("items", "code,TWICE")
    assert application.check("ITEMS", "Code,Twice")[0] == ""
    application.run("INSERT INTO items VALUES ('a')")
    assert application.events() == [("created", "a", {"Code": "a", "Twice": "aa"})]


def test_a_table_as_wide_as_tables_are(application):
    names = [f"c{number}" for number in range(600)]
    application.run(f"CREATE TABLE wide (id INTEGER PRIMARY KEY, {', '.join(names)})")
    application.install("wide", ",".join(names))
    application.run("INSERT INTO wide (id, c0, c599) VALUES (1, 'a', 'b')")
    assert application.events() == [("created", "1", {**dict.fromkeys(names), "c0": "a", "c599": "b"})]


@pytest.mark.parametrize("options", [["--always"], ["--notify", "news"]])
def test_what_only_postgresql_has_is_refused(shop, options):
    with pytest.raises(SystemExit, match=f"{options[0]} is for PostgreSQL only"):
        shop.trigger("t", "v", *options)


def test_a_connection_through_sqlalchemy_alone_is_refused(application):
    extra = json.dumps({"sqlalchemy_url": f"sqlite:///{application.legacy.url.database}"})
    metadata.put_connection(CONN_ID, conn_type="generic", extra=extra)
    with pytest.raises(SystemExit, match="connections of the types postgres, mysql and sqlite"):
        application.trigger("outbox", "id")


def test_check_finds_a_trigger_that_is_gone(shop):
    shop.run("DROP TRIGGER t_outbox_deleted")
    ended, told = shop.check("t", "v,doc,n")
    assert "1 problems" in ended
    assert "trigger 't_outbox_deleted' is missing" in told
