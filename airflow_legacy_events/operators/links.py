"""Links on a task's page in Airflow."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink, conf

from airflow_legacy_events.core import templates
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.hooks.broker import EventBrokerHook
from airflow_legacy_events.hooks.connect import KafkaConnectHook

_log = logging.getLogger(__name__)


class TopicLink(BaseOperatorLink):
    """Link to the newest message of the operator's topic, in a web tool that shows topics.

    The address is ``[legacy_events] topic_url_template`` with ``{topic}``, ``{partition}``, ``{offset}`` and
    ``{bootstrap}`` replaced. There is no link without that setting, where each row names its topic, or where the
    position is not known.
    """

    name = "Topic"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002  Airflow's signature
        """Return the address; called where the task ran, after it ended."""
        template = str(conf.get("legacy_events", "topic_url_template", fallback=""))
        if not template or templates.columns_of(templates.parse(operator.topic, "topic=")):
            return ""
        broker = EventBrokerHook(operator.broker_conn_id).get_broker(
            topics=[operator.topic], delivery_timeout=dt.timedelta(seconds=3)
        )
        words = {"topic": operator.topic, "bootstrap": broker.bootstrap}
        if "{offset}" in template or "{partition}" in template:
            try:
                position = broker.latest(operator.topic)
            except LegacyEventsError as error:
                _log.info("no link to topic %s: %s", operator.topic, error)
                return ""
            if position is None:
                return ""
            words |= {"partition": str(position.partition), "offset": str(position.offset)}
        return _filled(template, words)


class ConnectorLink(BaseOperatorLink):
    """Link to the operator's connector, in a web tool that shows connectors.

    The address is ``[legacy_events] connector_url_template`` with ``{connect}``, the address of the first worker, and
    ``{connector}`` replaced. There is no link without that setting.
    """

    name = "Connector"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002  Airflow's signature
        """Return the address; called where the task ran, after it ended."""
        template = str(conf.get("legacy_events", "connector_url_template", fallback=""))
        if not template:
            return ""
        words = {"connector": operator.connector}
        if "{connect}" in template:
            try:
                words["connect"] = KafkaConnectHook(operator.connect_conn_id).endpoint().addresses[0]
            except LegacyEventsError as error:
                _log.info("no link to connector %s: %s", operator.connector, error)
                return ""
        return _filled(template, words)


def _filled(template: str, words: Mapping[str, str]) -> str:
    for word, value in words.items():
        template = template.replace("{" + word + "}", quote(value, safe=""))
    return template
