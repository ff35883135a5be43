"""What a run reports of a change log, however it ended."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import SourceError
from tests.support.crashes import World
from tests.support.fakes import Entry, Outbox, OutboxSource
from tests.support.runs import process, report_of

STATE = {"slot": "s", "to": "0/1"}


class Described(OutboxSource):
    """A source that describes the log that it reads."""

    def report(self):
        return STATE

    def lowered(self):
        return None


class Silent(OutboxSource):
    """A source whose database is gone by the time it is to describe its log."""

    def report(self):
        raise SourceError("the database does not answer")

    def lowered(self):
        return "best_effort", "a column was added with a default"


@pytest.fixture
def table() -> Outbox:
    outbox = Outbox()
    outbox.commit(*(Entry(number, "k", "body") for number in range(1, 5)))
    return outbox


def test_the_state_of_the_log_is_reported(table):
    made = process(World(), table)
    made.relay.source = Described(table)
    made.relay.run()

    assert report_of(made)["log"] == STATE


def test_the_state_of_the_log_is_reported_after_a_failure_too(table):
    made = process(World(), table)
    made.relay.source, made.relay.envelope = Described(table), None
    with pytest.raises(AttributeError):
        made.relay.run()

    assert report_of(made)["log"] == STATE


def test_a_log_that_can_not_be_described_fails_no_run_and_what_it_lacks_is_said(table, caplog):
    made = process(World(), table)
    made.relay.source = Silent(table)
    made.relay.run()

    report = report_of(made)
    assert (report["log"], report["target_reached"]) == (None, True)
    assert report["completeness"] == "best_effort"
    assert report["completeness_reason"] == "a column was added with a default"
    assert "the state of the change log could not be read: the database does not answer" in caplog.text
