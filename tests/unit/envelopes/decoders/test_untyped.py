"""Values whose messages do not say what they are: the column says it, or they are refused."""

from __future__ import annotations

import msgspec
import pytest

from airflow_legacy_events.core.columns import Elements, Kind
from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.core.model.meaning import Form, Wire
from airflow_legacy_events.envelopes.decoders.debezium import DebeziumDecoder, semantics
from airflow_legacy_events.envelopes.decoders.maxwell import MaxwellDecoder
from airflow_legacy_events.envelopes.decoders.values import Options, UnfitError, converter
from airflow_legacy_events.envelopes.decoders.wire import wire
from airflow_legacy_events.envelopes.decoding.schemaless import Types, reading
from tests.support.decoding import decoded, rows, table

OF_MYSQL, OF_MARIADB = "6b0a16dd-e75a-11f1-b222-02fc00000001:20", "0-1-20"


def of_debezium(kind: Kind, type_: str, written: str, **types) -> str:
    elements = Elements(types.pop("elements")) if "elements" in types else None
    column = TargetColumn("c", kind, type_, elements=elements)
    found, read = wire(msgspec.Raw(written.encode())), reading(column, Types(**types))
    assert found is not None
    return converter(column, Options())(found if read is None else read(found))


@pytest.mark.parametrize(
    ("kind", "type_", "written", "found", "types"),
    [
        (Kind.TEXT, "bit(7)", '"BQ=="', "0000101", {}),
        (Kind.TEXT, "bit(7)", '""', "0000000", {}),
        (Kind.TEXT, "bit(10)", '"BQI="', "1000000101", {}),
        (Kind.TEXT, "bit varying(9)", '"BQ=="', "101", {}),
        (Kind.TEXT, '"bit"', "true", "1", {}),
        (Kind.TEXT, "bit(1)", "false", "0", {}),
        (Kind.TEXT, "interval", "-5000001", "PT-5.000001S", {}),
        (Kind.TEXT, "interval day to second", "1", "PT0.000001S", {}),
        (Kind.TEXT, "public.hstore", r'"{\"a\":\"x\\\"y\\\\\",\"b\":null}"', r'"a"=>"x\"y\\","b"=>NULL', {}),
        (Kind.TEXT, "point", '{"x":1.5,"y":-2.0,"wkb":"AA==","srid":null}', "(1.5,-2.0)", {}),
        (Kind.FLOAT, "double precision", '"Infinity"', "Infinity", {}),
        (Kind.SINGLE, "real", '"NaN"', "NaN", {}),
        (Kind.DATE, "date", "-800000", "0222-09-04 BC", {}),
        (Kind.DATE, "date", "20454", "2026-01-01", {}),
        (Kind.DATE, "date", "2147483647", "infinity", {}),
        (Kind.TIMESTAMP, "timestamp", "-62167219200000001", "0002-12-31T23:59:59.999999 BC", {"epoch_unit": "us"}),
        (Kind.TIMESTAMP, "timestamp", "9224318015999999999", "294276-12-31T23:59:59.999999", {"epoch_unit": "us"}),
        (Kind.INSTANT, "timestamptz", "1767323045123", "2026-01-02 03:04:05.123+00", {"epoch_unit": "ms"}),
        (Kind.ARRAY, "date[]", "[20454,null,[0]]", '{"2026-01-01",NULL,{"1970-01-01"}}', {"elements": Kind.DATE}),
        (Kind.ARRAY, "time[]", "[1000001]", '{"00:00:01.000001"}', {"elements": Kind.TIME, "epoch_unit": "us"}),
        (Kind.ARRAY, "bit(3)[]", '["BQ==",null,"AQ=="]', '{"101",NULL,"001"}', {"elements": Kind.TEXT}),
        (Kind.ARRAY, "numeric[]", '[{"scale":1,"value":"BQ=="}]', '{"0.5"}', {"elements": Kind.DECIMAL}),
    ],
)
def test_a_column_says_what_debezium_means(kind, type_, written, found, types):
    assert of_debezium(kind, type_, written, **types) == found


@pytest.mark.parametrize(
    ("kind", "type_", "written", "types"),
    [
        (Kind.DECIMAL, "numeric", '"Infinity"', {}),
        (Kind.TEXT, "bit(7)", '"BQ"', {}),
        (Kind.TEXT, "hstore", r'"{\"a\":1}"', {}),
        (Kind.TEXT, "hstore", '"a=>1"', {}),
        (Kind.TEXT, "point", '{"x":1.5}', {}),
        (Kind.TEXT, "interval", "1.5", {}),
        (Kind.ARRAY, "time[]", "[1]", {"elements": Kind.TIME}),
        (Kind.ARRAY, "date[]", "1", {"elements": Kind.DATE}),
    ],
)
def test_what_it_does_not_say_is_refused(kind, type_, written, types):
    with pytest.raises(UnfitError):
        of_debezium(kind, type_, written, **types)


def test_a_schema_says_that_hstore_is_a_document():
    semantic = '{"type":"string","optional":true,"name":"io.debezium.data.Json","field":"c"}'
    fields = f'[{{"type":"int32","field":"id"}},{semantic}]'
    schema = f'{{"type":"struct","fields":[{{"type":"struct","fields":{fields},"field":"after"}}]}}'
    payload = r'{"before":null,"after":{"id":1,"c":"{\"a\":null}"},"op":"c"}'
    shape = table(id=Kind.INTEGER, c=TargetColumn("", Kind.TEXT, "hstore"))
    changes = decoded(DebeziumDecoder(), shape, ('{"id":1}', f'{{"schema":{schema},"payload":{payload}}}'))
    assert rows(changes) == [("u", {"id": "1", "c": '"a"=>NULL'})]


@pytest.mark.parametrize("scale", ["1000000000", "-1000000000", "x"])
def test_a_schema_whose_parameters_make_no_sense_is_poison(scale):
    parameters = f'"name":"org.apache.kafka.connect.data.Decimal","parameters":{{"scale":"{scale}"}}'
    schema = f'{{"type":"struct","fields":[{{"type":"bytes","field":"c",{parameters}}}]}}'
    message = f'{{"schema":{schema},"payload":{{"before":null,"after":{{"id":1,"c":"BOI="}},"op":"c"}}}}'
    changes = decoded(DebeziumDecoder(), table(id=Kind.INTEGER, c=Kind.DECIMAL), ('{"id":1}', message))
    assert [one.error for one in changes.poison] == ["NOT_JSON"]


def test_bits_without_a_limit_have_the_highest_length_there_is():
    named = {"name": "io.debezium.data.Bits", "type": "bytes", "parameters": {"length": "2147483647"}}
    semantic = semantics.semantic_of(named)
    assert semantic is not None
    assert semantic(Wire(Form.TEXT, "BQ==")).text == "101"


def of_maxwell(*messages):
    """What messages of Maxwell make of JSON; each has a GTID, or None, and a value."""
    made = []
    for number, (gtid, value) in enumerate(messages):
        head = {"database": "d", "table": "t", "type": "insert", "ts": 1, "xid": 2}
        head |= {} if gtid is None else {"gtid": gtid}
        made.append((str(number), {**head, "data": {"id": number, "doc": value}}))
    changes = decoded(MaxwellDecoder(), table(id=Kind.INTEGER, doc=Kind.JSON), *made)
    found = {int(row["id"]): row["doc"] for _, row in rows(changes)}
    return [found.get(at, "poison") for at in range(len(messages))]


def test_json_of_mysql_is_embedded_and_that_of_mariadb_a_text():
    document = '{"a":1.50}'
    assert of_maxwell((OF_MYSQL, document), (OF_MARIADB, document), (None, document), (OF_MYSQL, "5")) == [
        *(r'"{\"a\":1.50}"', document, document, '"5"')
    ]
    assert of_maxwell((None, {"a": 1}), (OF_MARIADB, [1]), (OF_MARIADB, "no JSON"), (None, None)) == [
        *('{"a": 1}', "[1]", '"no JSON"', None)
    ]


@pytest.mark.parametrize("value", ["5", '"a"', " true", "null"])
@pytest.mark.parametrize("gtid", [None, OF_MARIADB])
def test_a_text_that_may_be_either_is_refused(gtid, value):
    assert of_maxwell((gtid, value), (OF_MYSQL, value)) == ["poison", msgspec.json.encode(value).decode()]
