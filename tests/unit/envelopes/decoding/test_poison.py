"""Messages that can't be applied: each by its name, no value in the reason, and the others right."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.columns import Elements, Kind
from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.envelopes.decoders.cloudevents import CloudEventsDecoder
from airflow_legacy_events.envelopes.decoders.debezium import DebeziumDecoder
from airflow_legacy_events.envelopes.decoders.maxwell import MaxwellDecoder
from airflow_legacy_events.envelopes.decoders.plain import PlainDecoder
from tests.support.applying import Letters, applied, rows_of
from tests.support.decoding import decoded, poison, table
from tests.support.fake_target import FakeTarget

TABLE = table(
    id=TargetColumn("", Kind.INTEGER, "bigint", low=-(2**63), high=2**63 - 1),
    v=TargetColumn("", Kind.TEXT, "varchar(6)", length=6),
    d=TargetColumn("", Kind.DECIMAL, "numeric(10,2)", precision=10, scale=2),
    f=Kind.FLOAT,
    j=Kind.JSON,
    ts=TargetColumn("", Kind.INSTANT, "timestamptz(3)", scale=3),
    a=TargetColumn("", Kind.ARRAY, "int[]", elements=Elements(Kind.INTEGER)),
)
ENVELOPES = {
    "cloudevents": (CloudEventsDecoder, b'{"specversion":"1.0","id":"e","op":"u","data":%b}'),
    "plain": (PlainDecoder, b"%b"),
    "debezium": (DebeziumDecoder, b'{"before":null,"after":%b,"source":{},"op":"u"}'),
    "maxwell": (MaxwellDecoder, b'{"database":"d","table":"t","type":"insert","data":%b}'),
}
NOT_JSON = {
    "nothing": b"",
    "a byte order mark": b'\xef\xbb\xbf{"id":1}',
    "an array": b"[1]",
    "a number": b"1",
    "a text": b'"secret"',
    "no UTF-8": b'{"id":1,"v":"\xff"}',
    "a name that is no UTF-8": b'{"id":1,"\xff":2}',
    "a document that is no UTF-8": b'{"id":1,"j":{"a":"\xff"}}',
    "a member twice": b'{"id":1,"v":"secret","v":"other"}',
    "a member twice, with spaces": b'{"id": 1, "v": "secret", "v": "other"}',
    "a member twice, once escaped": b'{"id":1,"v":"secret","\\u0076":"b"}',
    "half a surrogate": b'{"id":1,"v":"\\ud800"}',
    "half a surrogate in a document": b'{"id":1,"j":{"a":"\\ud800"}}',
    "an unknown escape": b'{"id":1,"j":{"a":"\\q"}}',
    "arrays without end": b'{"id":1,"j":' + b"[" * 40_000 + b"]" * 40_000 + b"}",
    "objects without end": b'{"id":1,"j":' + b'{"a":' * 15_000 + b"1" + b"}" * 15_000 + b"}",
    "NaN": b'{"id":1,"f":NaN}',
    "something behind it": b'{"id":1}secret',
    "the half of it": b'{"id":1,"v":"sec',
    "a line in a text": b'{"id":1,"v":"a\nb"}',
}
VALUES = {
    "more digits than Python reads": b'{"id":%b}' % (b"9" * 5_000),
    "an endless exponent": b'{"id":1,"d":1e999999999}',
    "an endless fraction": b'{"id":1,"d":1e-999999999}',
    "a number beyond the column": b'{"id":9223372036854775808}',
    "a digit too many": b'{"id":1,"d":"19.999"}',
    "a double beyond all": b'{"id":1,"f":1e400}',
    "NaN where there is none": b'{"id":1,"f":"NaN"}',
    "Infinity where there is none": b'{"id":1,"d":"Infinity"}',
    "a character too many": b'{"id":1,"v":"secrets"}',
    "a fraction of a second too many": b'{"id":1,"ts":"2026-01-01T00:00:00.1234Z"}',
    "a time beyond the calendar": b'{"id":1,"ts":"9999-12-31T23:59:59-14:00"}',
    "an array of arrays without end": b'{"id":1,"a":' + b"[" * 900 + b"]" * 900 + b"}",
    "an element of another type": b'{"id":1,"a":[1,"secret"]}',
}


@pytest.mark.parametrize("envelope", sorted(ENVELOPES))
@pytest.mark.parametrize(
    ("name", "row", "error"),
    [
        *((name, row, "NOT_JSON") for name, row in NOT_JSON.items()),
        *((name, row, "VALUE") for name, row in VALUES.items() if "without end" not in name),
        ("no key", b'{"v":"a"}', "NO_KEY"),
        ("a null key", b'{"id":null}', "NO_KEY"),
        ("more bytes than allowed", b'{"id":1,"v":"%b"}' % (b"secret" * 20_000), "SIZE"),
    ],
)
def test_one_that_can_not_be_applied(envelope, name, row, error):
    make, form = ENVELOPES[envelope]
    found = decoded(make(), TABLE, (None, form % row), max_row_bytes=110_000)
    assert poison(found) == [(0, error)]
    assert "secret" not in found.poison[0].reason
    assert "999" not in found.poison[0].reason
    assert not found.tables.get("t") or not found.tables["t"].rows


def test_an_array_without_end_is_refused_not_crashed_on():
    found = decoded(PlainDecoder(), TABLE, (None, VALUES["an array of arrays without end"]))
    assert poison(found) in ([(0, "NOT_JSON")], [(0, "VALUE")], [])


@pytest.mark.parametrize("envelope", sorted(ENVELOPES))
@pytest.mark.parametrize("size", [7, 10_000])
def test_the_others_are_applied(envelope, size):
    make, form = ENVELOPES[envelope]
    bad = [*NOT_JSON.values()][:15] + [row for name, row in VALUES.items() if "without end" not in name]
    messages, wanted = [], {}
    for at, row in enumerate(bad):
        messages += [(None, form % (b'{"id":%d,"v":"a"}' % (100 + at))), (None, form % row)]
        wanted[str(100 + at)] = (str(100 + at), "a", *("default",) * 5)
    target, letters = FakeTarget(shapes={"t": TABLE}), Letters()
    made = applied(make(), target, messages, size=size, letters=letters)
    assert rows_of(target) == wanted
    assert [at for at, _ in letters.sent] == list(range(1, len(messages), 2))
    assert (made.delivered.events, made.delivered.rejected) == (len(bad), len(bad))
