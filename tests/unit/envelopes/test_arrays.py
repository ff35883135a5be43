"""Arrays as PostgreSQL writes them."""

import pytest

from airflow_legacy_events.core.columns import Column, Elements, Kind, Shape
from airflow_legacy_events.core.model import Batch, Formats, Stream, Watermark
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from airflow_legacy_events.errors import EnvelopeError


def forms(elements, *values, **formats):
    """The texts of the member `v`, exactly as they stand in the messages."""
    column = Column("v", Kind.ARRAY, "array[]", elements=elements)
    shape = Shape((Column("id", Kind.INTEGER, "int8"), column), (1,), (0,))
    encode = PlainEnvelope().compile(shape, Stream("s", "t", "/s", "s", formats=Formats(**formats)))
    rows = list(enumerate(values))
    messages = encode(Batch(shape, rows, len(rows), Watermark((), None, {}), "u"))
    return [value.removeprefix('{"v":').removesuffix("}") for value in messages.values]


TEXTS, NUMBERS = Elements(Kind.TEXT), Elements(Kind.INTEGER)


@pytest.mark.parametrize(
    ("elements", "text", "expected"),
    [
        (NUMBERS, "{}", "[]"),
        (NUMBERS, "{1}", "[1]"),
        (NUMBERS, "{1,NULL,-3}", "[1,null,-3]"),
        (NUMBERS, "{{1,2},{3,NULL}}", "[[1,2],[3,null]]"),
        (NUMBERS, "{{{{1}}}}", "[[[[1]]]]"),
        (NUMBERS, "[2:3]={5,6}", "[5,6]"),
        (NUMBERS, "[-5:-5][0:1]={{5,6}}", "[[5,6]]"),
        (TEXTS, '{a,"b c",""}', '["a","b c",""]'),
        (TEXTS, '{"NULL",NULL,null}', '["NULL",null,"null"]'),
        (TEXTS, r'{"a \"b\" \\ \c"}', r'["a \"b\" \\ c"]'),
        (TEXTS, '{"{1,2}","a,b",x\ny}', r'["{1,2}","a,b","x\ny"]'),
        (TEXTS, '{ü,"\n","[2:3]={5}"}', '["ü","\\n","[2:3]={5}"]'),
        (Elements(Kind.TEXT, ";"), "{(2,2),(1,1);(1,1),(0,0)}", '["(2,2),(1,1)","(1,1),(0,0)"]'),
        (Elements(Kind.DECIMAL), "{1.10,NaN}", '["1.10","NaN"]'),
        (Elements(Kind.FLOAT), "{1e+300,NaN,-Infinity}", '[1e+300,"NaN","-Infinity"]'),
        (Elements(Kind.BOOLEAN), "{t,f,NULL}", "[true,false,null]"),
        (Elements(Kind.BYTES), r'{"\\x6869ff","\\x"}', '["aGn/",""]'),
        (Elements(Kind.JSON), r'{"{\"a\": [1, 1.10]}",1e400}', '[{"a": [1, 1.10]},1e400]'),
        (Elements(Kind.INSTANT), '{"2026-11-23 09:15:02+00",infinity}', '["2026-11-23T09:15:02.000000Z","infinity"]'),
        (Elements(Kind.MONEY), '{"$1,234.50",-$0.01}', '["1234.50","-0.01"]'),
        (Elements(Kind.ARRAY, ",", NUMBERS), '{"{1,2}","{}",NULL}', "[[1,2],[],null]"),
    ],
)
def test_an_array_is_a_json_array_alone_or_beside_others(elements, text, expected):
    assert forms(elements, text) == [expected]
    assert forms(elements, None, text, None, "{}") == ["null", expected, "null", "[]"]


def test_elements_follow_the_formats():
    assert forms(Elements(Kind.DECIMAL), "{1.10,NaN}", decimals="number") == ['[1.10,"NaN"]']
    assert forms(NUMBERS, "{9007199254740993,9007199254740992}", bigints="string") == [
        '["9007199254740993",9007199254740992]'
    ]
    assert forms(Elements(Kind.BYTES), r'{"\\xFF"}', bytes="hex") == ['["ff"]']
    assert forms(Elements(Kind.TIMESTAMP), '{"2026-11-23 09:15:02"}', times="naive") == ['["2026-11-23 09:15:02"]']


@pytest.mark.parametrize(
    "text",
    [
        *("", "1", "{", "}", "{1", "1}", "{1}{2}", "{1},{2}", "{,}", "{1,}", "{,1}", "{1 2}", "{1}x", "x{1}", "{{1}"),
        *("[2:3]{1}", "[a:b]={1}", "[2:3]=", '{"1}', '{"1"2}', "{a}", "{1,}2{}", "{1}\n", "{\\1}", '{"a""b"}'),
    ],
)
def test_what_is_no_array_is_refused(text):
    for values in ([text], ["{1}", text], [text, None]):
        with pytest.raises(EnvelopeError, match=r"column 'v' is declared 'array\[\]' and read as array"):
            forms(NUMBERS, *values)


def test_a_value_that_is_no_text_is_refused():
    with pytest.raises(EnvelopeError, match="a row holds a Python list"):
        forms(NUMBERS, [1])


def test_an_array_of_what_is_not_known_cannot_be_carried():
    with pytest.raises(EnvelopeError, match=r"'v' has the type 'array\[\]', which can't be carried"):
        forms(None, "{1}")


def test_an_array_may_be_a_key():
    shape = Shape((Column("k", Kind.ARRAY, "text[]", elements=TEXTS), Column("n", Kind.INTEGER, "int")), (0,), (0,))
    batch = Batch(shape, [('{a,"b \\"c"}', "1")], 1, Watermark((), None, {}), "c")
    messages = PlainEnvelope().compile(shape, Stream("s", "t", "/s", "s"))(batch)
    assert messages.keys == ['["a","b \\"c"]']
    assert messages.values == ['{"k":["a","b \\"c"]}']
