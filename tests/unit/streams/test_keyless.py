"""Topics of messages without a key are refused before anything is read, where they are compacted."""

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.streams.keyless import check_topic_config, check_topics


@pytest.mark.parametrize("config", [None, {}, {"cleanup.policy": "delete"}, {"retention.ms": "1"}])
def test_a_topic_that_keeps_messages_without_a_key_may_be_made(config):
    check_topic_config(config)


@pytest.mark.parametrize("policy", ["compact", "compact,delete", "delete, compact"])
def test_no_compacted_topic_is_made(policy):
    with pytest.raises(ConfigurationError, match=rf"cleanup.policy={policy}, which accepts no message without a key"):
        check_topic_config({"cleanup.policy": policy})


def test_each_topic_that_is_compacted_is_named():
    broker = MemoryBroker(compacted=("a", "dead"))
    check_topics(broker, ("b", None))
    with pytest.raises(ConfigurationError, match=r"(?s)topic 'a', 'dead' has cleanup.policy=compact.*\nName a topic"):
        check_topics(broker, ("a", "b", "dead"))
