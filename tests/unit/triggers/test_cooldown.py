"""The last event sent, kept in a Variable that anybody may have edited."""

import datetime as dt
import json
import uuid

import pytest

from airflow_legacy_events.triggers._cooldown import PREFIX, claim_event
from tests.airflow import metadata

MINUTE = dt.timedelta(minutes=1)
NOW = dt.timedelta(0)


@pytest.fixture(autouse=True)
def _as_server():
    with metadata.as_server():
        yield


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[" * 100_000,
        "7",
        '"\\ud800"',
        json.dumps({"bound": ["7"], "at": "x"}),
        '{"bound": ["7"], "at": NaN}',
    ],
)
def test_what_a_person_broke_holds_no_event_back(text):
    stream = f"s{uuid.uuid4()}"
    metadata.put_variable(PREFIX + stream, text)

    assert claim_event(stream, None, ("7",), MINUTE) == NOW
    assert NOW < claim_event(stream, None, ("7",), MINUTE) <= MINUTE
