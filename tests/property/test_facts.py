"""What a person may have made of the facts of a watermark: it is used, or refused by its name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import WatermarkError
from tests.support.legacy import legacy_database
from tests.support.streams import Deliveries

OPTIONS = {
    "bulk": {"watermark_columns": ()},
    "time": {"watermark_columns": ("at",)},
    "nulls": {"watermark_columns": ("at",), "null_watermark": "always"},
}
nonsense = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "at", "id"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["number", "done", "at", "query", "values"]), inner, max_size=3)
    ),
    max_leaves=6,
)
passes = st.fixed_dictionaries({"number": st.integers(-1, 2), "done": st.booleans(), "at": nonsense})


@pytest.fixture(scope="module", params=OPTIONS)
def stream(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("facts")
    request.getfixturevalue = {"tmp_path": path}.get
    with legacy_database(request, "sqlite") as legacy:
        legacy.execute("CREATE TABLE orders (id integer PRIMARY KEY, at integer, body text)")
        legacy.execute("INSERT INTO orders VALUES (1, 1, 'a'), (2, NULL, 'b')")
        if request.param == "time":
            legacy.execute("DELETE FROM orders WHERE at IS NULL")
        made = Deliveries(str(legacy.url), MemoryBroker(), "topic", options=OPTIONS[request.param])
        made.run()
        yield made


FACTS = [
    *("columns", "shape", "watermark_columns", "key_columns", "query", "table", "source", "included", "load", "nulls"),
    *("kind", "server", "reset", "topic", "cluster", "dag", "task", "run", "person"),
]


def refusal(stream):
    """What a run says that is refused, None of one that is not."""
    try:
        stream.run()
    except WatermarkError as error:
        return str(error)
    return None


@given(fact=st.sampled_from(FACTS), found=nonsense | passes)
def test_a_fact_that_was_edited_is_used_or_refused_with_the_stream_and_a_remedy(stream, fact, found):
    mark = stream.store.load(stream.name)
    edited = mark._replace(facts={**mark.facts, fact: found})
    stream.store.save(stream.name, edited, expected=mark)
    try:
        told = refusal(stream)
    finally:
        stream.store.forget(stream.name)
        stream.store.save(stream.name, mark, expected=None)
    assert told is None or stream.name in told
    assert told is None or "airflow legacy-events watermark" in told or "on_query_change=" in told
