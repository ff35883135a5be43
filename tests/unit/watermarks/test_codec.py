import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.errors import WatermarkError
from airflow_legacy_events.watermarks.codec import decode, encode
from airflow_legacy_events.watermarks.emptiness import contradiction

COLUMNS = [["updated_at", "timestamp with time zone"], ["id", "bigint"]]

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
facts = st.dictionaries(st.text(), plain, max_size=4)
columns = st.fixed_dictionaries({}, optional={"columns": st.just(COLUMNS) | plain})
watermarks = st.builds(
    Watermark,
    st.none() | st.lists(st.text(), max_size=4).map(tuple),
    st.none() | st.lists(plain, max_size=3).map(tuple),
    st.builds(lambda some, more: {**some, **more}, facts, columns),
).filter(lambda mark: contradiction(mark) is None)


@given(watermarks)
def test_a_watermark_reads_back_as_it_was_written(mark):
    assert decode(encode(mark), stream="s", place="p") == mark


def test_each_value_stands_beside_its_column_and_type():
    mark = Watermark(("2026-11-23 09:15:02+00", "42"), None, {"columns": COLUMNS})

    assert json.loads(encode(mark)) == {
        "version": 1,
        "values": [
            {"column": "updated_at", "type": "timestamp with time zone", "text": "2026-11-23 09:15:02+00"},
            {"column": "id", "type": "bigint", "text": "42"},
        ],
        "receipt": None,
        "facts": {"columns": COLUMNS},
    }


def test_fewer_values_than_columns_keep_all_columns():
    mark = Watermark(("7",), None, {"columns": COLUMNS, "included": True})

    assert decode(encode(mark), stream="s", place="p") == mark


def test_equal_watermarks_have_equal_texts_whatever_the_order_of_their_facts():
    one = Watermark(("7",), ([1, 5],), {"topic": "t", "dag": "d"})
    other = Watermark(("7",), ([1, 5],), {"dag": "d", "topic": "t"})

    assert encode(one) == encode(other)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "0 characters that is not JSON"),
        ("nonsense", "8 characters that is not JSON"),
        ("[" * 100_000, "100000 characters that is not JSON"),
        ('{"version": 1, "values": null, "facts": {"share": NaN}}', "that is not JSON"),
        ("[]", "JSON of type list"),
        ("{}", "version None, known here is 1"),
        ('{"version": 2, "values": null, "facts": {}}', "version 2, known here is 1"),
        ('{"version": true, "values": null, "facts": {}}', "version True"),
        ('{"version": 1, "values": "secret", "facts": {}}', "neither a list nor null"),
        ('{"version": 1, "values": [{"text": "secret"}, 7], "facts": {}}', "the number 2 of 2"),
        ('{"version": 1, "values": [{"text": 7}], "facts": {}}', "the number 1 of 1"),
        ('{"version": 1, "values": null, "receipt": "secret", "facts": {}}', "a receipt that is neither"),
        ('{"version": 1, "values": null, "facts": "secret"}', "facts that are not an object"),
    ],
)
def test_what_is_no_watermark_is_refused_with_place_remedy_and_without_values(text, found):
    with pytest.raises(WatermarkError) as refused:
        decode(text, stream="crm.orders@t", place="Variable 'v'")

    message = str(refused.value)
    assert found in message
    assert "stream 'crm.orders@t' in Variable 'v'" in message
    assert "`airflow legacy-events watermark set crm.orders@t VALUE...`" in message
    assert "`airflow legacy-events watermark forget crm.orders@t`" in message
    assert "secret" not in message
    assert not refused.value.retry_helps
