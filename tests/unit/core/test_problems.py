"""Several faults in one message."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import ConfigurationError, DeliveryError, SourceError, StoppedError
from airflow_legacy_events.core.problems import Problems


def gathered(*errors):
    problems = Problems()
    for error in errors:
        with problems.collect():
            raise error
    return problems


def test_nothing_found_is_no_error():
    gathered().raise_found()


def test_the_only_problem_is_raised_as_it_is():
    only = SourceError("the server is gone")
    with pytest.raises(SourceError) as raised:
        gathered(only).raise_found()
    assert raised.value is only


def test_several_problems_are_listed_in_their_order_and_counted():
    with pytest.raises(ConfigurationError) as raised:
        gathered(SourceError("first"), ConfigurationError("second"), DeliveryError("third")).raise_found()
    assert str(raised.value) == "3 problems were found before anything was read:\n1. first\n2. second\n3. third"
    assert not raised.value.retry_helps


def test_a_retry_may_help_when_it_may_help_each():
    with pytest.raises(SourceError) as raised:
        gathered(SourceError("first"), DeliveryError("second")).raise_found()
    assert raised.value.retry_helps


def test_problems_of_problems_are_listed_flat():
    with pytest.raises(ConfigurationError) as inner:
        gathered(ConfigurationError("a"), ConfigurationError("b")).raise_found()
    with pytest.raises(ConfigurationError, match=r"\n1\. a\n2\. b\n3\. c$"):
        gathered(inner.value, ConfigurationError("c")).raise_found()


def test_a_stop_and_a_bug_are_raised_at_once():
    for error in (StoppedError("stop"), ValueError("bug")):
        with pytest.raises(type(error)):
            gathered(error)
