"""Facts that messages add to the position of a sink: kept from batch to batch, and saved as they were then."""

import json

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.model import Batch, Watermark
from airflow_legacy_events.core.model.changes import Changes, Received
from airflow_legacy_events.core.sink.delivery import AppliedDelivery
from tests.property.test_sink import LEASE
from tests.support.fake_target import FakeTarget


class WrittenPositions:
    """Keeps texts, as a database does."""

    def __init__(self):
        self.text = None

    def load(self, stream):
        return None if self.text is None else Watermark(*json.loads(self.text))

    def save(self, unit, stream, new, *, expected):
        assert self.text == (None if expected is None else json.dumps(expected)), "another watermark was expected"
        self.text = json.dumps(new)


def batch(number):
    return Batch(Shape((), (), ()), (), 0, Watermark((str(number),), None, {"progress": [number]}), "c")


def changes(facts):
    return Changes(Received([], [], [], [], [], [], []), {}, facts=facts)


def test_what_messages_add_is_joined_and_what_was_saved_does_not_change_behind_it():
    positions = WrittenPositions()
    made = AppliedDelivery("s", LEASE, target=FakeTarget(), positions=positions)
    made.load()
    made.begin({"source": "warehouse"})
    seen = {"orders": {"partition": [0]}}

    made.deliver(batch(1), changes({"seen": seen}))
    seen["orders"]["partition"].append(1)  # by the thread that decodes the next batch
    made.deliver(batch(2), changes({"seen": {**seen, "items": {}}, "lowered": {"snapshot": "it began late"}}))

    assert json.loads(positions.text)[2] == {
        "source": "warehouse",
        "progress": [2],
        "met": {"seen": {"orders": {"partition": [0, 1]}, "items": {}}, "lowered": {"snapshot": "it began late"}},
    }
    assert made.met == json.loads(positions.text)[2]["met"]


def test_another_run_continues_with_what_messages_added():
    positions = WrittenPositions()
    for number in (1, 2):
        made = AppliedDelivery("s", LEASE, target=FakeTarget(), positions=positions)
        made.load()
        made.begin({})
        made.deliver(batch(number), changes({f"fact {number}": {"at": number}}))

    assert json.loads(positions.text)[2]["met"] == {"fact 1": {"at": 1}, "fact 2": {"at": 2}}
