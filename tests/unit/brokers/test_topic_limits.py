"""Limits of a topic, read from configurations of brokers old and new."""

from types import SimpleNamespace

import pytest

from airflow_legacy_events.brokers.kafka.limits import ANY, TopicLimits

NEW = {"message.timestamp.before.max.ms": str(ANY), "message.timestamp.after.max.ms": "3600000"}


def limits(**changed):
    config = {"max.message.bytes": "1000", "cleanup.policy": "delete", "retention.ms": "604800000", **changed}
    return TopicLimits.of({name: SimpleNamespace(value=value) for name, value in config.items()})


def test_a_broker_of_today_has_one_bound_for_each_side():
    assert limits(**NEW) == TopicLimits(1000, ANY, 3_600_000, 604_800_000)


def test_a_broker_before_3_6_has_one_bound_for_both():
    found = limits(**{"message.timestamp.difference.max.ms": "60000"})
    assert (found.before_ms, found.after_ms) == (60_000, 60_000)


@pytest.mark.parametrize(("after", "expected"), [("3600000", 3_600_000), (str(ANY), 60_000)])
def test_between_them_the_older_bound_holds_where_the_newer_ones_say_nothing(after, expected):
    both = {**NEW, "message.timestamp.after.max.ms": after, "message.timestamp.difference.max.ms": "60000"}
    assert (limits(**both).before_ms, limits(**both).after_ms) == (60_000, expected)


def test_a_broker_that_knows_none_of_them_has_no_bound():
    assert limits()[1:3] == (ANY, ANY)


def test_the_brokers_time_is_neither_judged_nor_old():
    assert limits(**NEW, **{"message.timestamp.type": "LogAppendTime"}) == TopicLimits(1000)
    assert limits(**NEW, **{"message.timestamp.type": "CreateTime"}) == limits(**NEW)


@pytest.mark.parametrize("stamped", ["LogAppendTime", "CreateTime"])
def test_a_compacted_topic_demands_keys(stamped):
    time = {"message.timestamp.type": stamped}
    assert limits(**time, **{"cleanup.policy": "delete, compact"}).compacted
    assert not limits(**time).compacted


@pytest.mark.parametrize(
    ("policy", "retention", "expected"),
    [
        ("delete", "1000", 1_000),
        ("compact,delete", "1000", 1_000),
        ("delete, compact", "1000", 1_000),
        ("delete", "0", 0),
        ("delete", "-1", ANY),
        ("compact", "1000", ANY),
        ("", "1000", ANY),
    ],
)
def test_only_a_topic_that_deletes_by_age_forgets(policy, retention, expected):
    assert limits(**{"cleanup.policy": policy, "retention.ms": retention}).retention_ms == expected


def test_a_limit_beyond_the_clients_is_cut_to_it():
    assert limits(**{"max.message.bytes": "2000000000"}).max_bytes == 1_000_000_000


def test_what_is_not_known_is_kafkas_size_and_no_bound():
    assert TopicLimits() == (1_048_588, ANY, ANY, ANY, False)
