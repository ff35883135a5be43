"""Debezium's messages at their edges: truncations, gaps, headers, and what is refused."""

import json

import pytest

from airflow_legacy_events.core.columns import ABSENT, Column, Kind, Shape
from airflow_legacy_events.core.errors import ConfigurationError, EnvelopeError
from airflow_legacy_events.core.model import HIDDEN, Batch, Formats, LogNotes, LogTransaction, Stream
from airflow_legacy_events.envelopes.debezium import DebeziumEnvelope

STREAM = Stream("legacy_crm.drain@log", "cdc.public.orders", "", "", database="crm", schema="public", table="orders")
COLUMNS = (
    Column("id", Kind.INTEGER, "int8", nullable=False),
    Column('50 % "off"', Kind.TEXT, "text"),
    Column("doc", Kind.JSON, "jsonb"),
)
BOTH = Shape(
    (*COLUMNS, *HIDDEN, *COLUMNS),
    (0, 1, 2),
    (0,),
    (3, 4),
    5,
    before=(7, 8, 9),
    unchanged=6,
    numbered=True,
    table="public.orders",
)
AFTER = Shape((*COLUMNS, *HIDDEN), (0, 1, 2), (0,), (3, 4), 5, unchanged=6, numbered=True, table="public.orders")
TRUNCATED = Shape(HIDDEN, (), (), (0, 1), 2, numbered=True, table="public.orders")
GONE = (ABSENT,) * 3


def change(*values, number=1, old=(), unchanged=None):
    return (*values, "0/16B3748", number, "2026-11-23 09:15:02.5+00", unchanged, *old)


def encode(ops, *rows, envelope=None, shape=BOTH, notes=None, **options):
    found = (envelope or DebeziumEnvelope()).compile(shape, STREAM._replace(**options))
    return found(Batch(shape, list(rows), len(rows), None, ops, notes=notes))


def values(messages):
    return [None if one is None else json.loads(one) for one in messages.values]


def test_a_truncation_has_neither_key_nor_rows_and_goes_everywhere():
    messages = encode("t", change(), shape=TRUNCATED, headers=(("row", "{id}"), ("team", "crm")))
    (found,) = values(messages)
    assert (messages.everywhere, messages.keys, messages.headers) == (True, [None], (("team", "crm"),))
    assert (found["op"], found["before"], found["after"]) == ("t", None, None)
    assert (found["source"]["table"], found["source"]["lsn"]) == ("orders", 0x16B3748)


def test_an_update_shows_its_old_row_if_the_log_has_it_as_a_whole():
    found = values(
        encode(
            ["u", "u", "c", "u"],
            change("1", "b", "{}", old=("1", "a", "{}")),
            change("2", "b", "{}", old=("2", ABSENT, ABSENT)),
            change("3", "b", "{}", old=GONE),
            change("4", "b", "{}", old=("4", None, None)),
        )
    )
    assert [one["before"] and one["before"]['50 % "off"'] for one in found] == ["a", None, None, None]
    assert [one["before"] is None for one in found] == [False, True, True, False]
    assert {one["after"]['50 % "off"'] for one in found} == {"b"}


def test_an_unchanged_value_is_a_placeholder_and_one_of_a_deleted_row_null():
    updated, deleted, _ = values(
        encode(["u", "d"], change("1", "b", ABSENT), change("2", ABSENT, ABSENT, number=2), shape=AFTER)
    )
    assert updated["after"] == {"id": 1, '50 % "off"': "b", "doc": "__debezium_unavailable_value"}
    assert (updated["before"], deleted["after"]) == (None, None)
    assert deleted["before"] == {"id": 2, '50 % "off"': None, "doc": None}


@pytest.mark.parametrize(("tombstones", "count"), [(None, 2), (True, 2), (False, 1)])
def test_a_delete_has_a_tombstone_behind_it_unless_it_is_not_wanted(tombstones, count):
    messages = encode("d", change("1", ABSENT, ABSENT), shape=AFTER, tombstones=tombstones)
    assert (len(messages.values), messages.keys) == (count, ['{"id":1}'] * count)
    assert [value is None for value in messages.values] == [False, True][:count]


def test_both_halves_of_a_change_of_the_key_name_the_other_key_beside_the_headers_of_the_stream():
    notes = LogNotes(moved={("0/16B3748", 1): ("2", "a", None), ("0/16B3748", 2): ("1", ABSENT, ABSENT)})
    messages = encode(
        ["d", "c", "c"],
        change("1", ABSENT, ABSENT),
        change("2", "a", None, number=2),
        change("3", "a", None, number=3),
        shape=AFTER,
        notes=notes,
        headers=(("row", "{id}"),),
    )
    new, old = ("__debezium.newkey", '{"id":2}'), ("__debezium.oldkey", '{"id":1}')
    assert messages.each == [(new, ("row", "1")), (new, ("row", "1")), (old, ("row", "2")), (("row", "3"),)]
    half = encode("c", change("2", "a", None, number=2), shape=AFTER, notes=notes)
    assert half.each == [(old,)]
    assert encode("c", change("3", "a", None, number=3), shape=AFTER, notes=notes).each is None


def test_the_source_names_server_table_transaction_and_commit():
    notes = LogNotes(transactions={"0/16B3748": LogTransaction("0/16B3748", 2**33 + 743)})
    (found,) = values(encode("c", change("1", "a", None), shape=AFTER, notes=notes))
    source = found["source"]
    assert (source["connector"], source["name"], source["db"]) == ("postgresql", "legacy_crm", "crm")
    assert (source["schema"], source["table"], source["txId"]) == ("public", "orders", 743)
    assert (source["ts_ms"], source["ts_ns"]) == (1795425302500, 1795425302500000000)
    assert abs(found["ts_ms"] - found["ts_ns"] // 10**6) == 0
    named = encode("c", change("1", "a", None), shape=AFTER, envelope=DebeziumEnvelope(name="crm"))
    assert values(named)[0]["source"]["name"] == "crm"


def test_rows_of_a_snapshot_name_its_place():
    shape = Shape(COLUMNS, (0, 1, 2), (0,), before=(0, 1, 2), table="public.orders")
    found = values(encode("r", ("1", "a", None), shape=shape, notes=LogNotes(place="1/0")))
    assert (found[0]["op"], found[0]["before"], found[0]["after"]["id"]) == ("r", None, 1)
    assert (found[0]["source"]["snapshot"], found[0]["source"]["lsn"]) == ("true", 2**32)
    assert values(encode("r", ("1", "a", None), shape=shape))[0]["source"]["sequence"] is None


def test_a_key_of_several_columns_is_an_object_in_their_order():
    shape = Shape((*COLUMNS, *HIDDEN), (0, 1, 2), (1, 0), (3, 4), 5, numbered=True, table="public.orders")
    assert encode("c", change("1", 'a"', None), shape=shape).keys == ['{"50 % \\"off\\"":"a\\"","id":1}']


@pytest.mark.parametrize(("key", "what"), [(None, "NULL in"), (ABSENT, "absent from")])
def test_a_row_without_a_key_is_refused(key, what):
    with pytest.raises(EnvelopeError, match=f"column 'id' is part of the key but {what} a row"):
        encode(["d", "c"], change(key, "a", None), change("1", "a", None), shape=AFTER)


def test_decimals_as_texts_are_an_argument():
    shape = Shape(
        (*COLUMNS, Column("n", Kind.DECIMAL, "numeric(4,1)"), *HIDDEN),
        (3,),
        (0,),
        (4, 5),
        6,
        numbered=True,
        table="public.orders",
    )
    row = change("1", "a", None, "NaN")
    assert values(encode("c", row, shape=shape, envelope=DebeziumEnvelope(decimals="string")))[0]["after"] == {
        "n": "NaN"
    }
    with pytest.raises(EnvelopeError, match=r'DebeziumEnvelope\(decimals="string"\)'):
        encode("c", row, shape=shape)
    with pytest.raises(ConfigurationError, match="must be one of 'precise', 'string'; found 'double'"):
        DebeziumEnvelope(decimals="double")


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"event_type": "x"}, "event_type"),
        ({"event_source": "x"}, "event_source"),
        ({"formats": Formats(times="naive")}, "times"),
        ({"formats": Formats(decimals="number")}, "decimals"),
        ({"source_timezone": "Europe/Berlin"}, "source_timezone"),
    ],
)
def test_an_argument_that_would_be_ignored_is_refused(options, name):
    with pytest.raises(ConfigurationError, match=f"{name}= has no effect with DebeziumEnvelope"):
        encode("c", change("1", "a", None), shape=AFTER, **options)


def test_rows_of_no_log_are_refused():
    shape = Shape(COLUMNS, (0, 1, 2), (0,))
    with pytest.raises(
        EnvelopeError, match="DebeziumEnvelope is for ChangeLogDrainOperator; use envelope='cloudevents'"
    ):
        DebeziumEnvelope().compile(shape, STREAM)
    with pytest.raises(EnvelopeError, match="DebeziumEnvelope is for the log of PostgreSQL"):
        encode("c", ("1", "a", None, "binlog.1:5", 1, None, None), shape=AFTER)


def test_a_header_of_debezium_can_not_be_given_twice():
    with pytest.raises(EnvelopeError, match=r"the header '__debezium.newkey' would be on a message more than once"):
        encode("c", change("1", "a", None), shape=AFTER, headers=(("__debezium.newkey", "x"),))
