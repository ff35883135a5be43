"""Secrets of a Kafka connection, and what librdkafka says of them through its callbacks, its log and its errors."""

from __future__ import annotations

import datetime as dt
import logging
import traceback

import pytest

from airflow_legacy_events.brokers.kafka.latest import latest
from airflow_legacy_events.brokers.kafka.producer import IdempotentProducer
from airflow_legacy_events.brokers.kafka.secrets import ClientLog, Hider
from airflow_legacy_events.brokers.kafka.topics import Topics
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.stop import Stop
from tests.services.base import wait_until

LOG = logging.getLogger("test.secrets")
NOWHERE = {"bootstrap.servers": "127.0.0.1:1"}
OAUTH = {**NOWHERE, "security.protocol": "sasl_plaintext", "sasl.mechanisms": "OAUTHBEARER"}
HUNTER = "hunter2" * 2
CONFIGS = {
    "token": {
        **OAUTH,
        "enable.sasl.oauthbearer.unsecure.jwt": True,
        "sasl.oauthbearer.config": f"principal=ann x{HUNTER}=y",
    },
    "endpoint": {
        **OAUTH,
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.client.id": "ann",
        "sasl.oauthbearer.client.secret": HUNTER,
        "sasl.oauthbearer.token.endpoint.url": f"http://127.0.0.1:1/?key={HUNTER}",
    },
    "misplaced": {**NOWHERE, "sasl.password": HUNTER, "security.protocol": f"x{HUNTER}"},
    "key": {**NOWHERE, "security.protocol": f"of {HUNTER}", "ssl.key.password": HUNTER},
}
CLIENTS = {
    "topics": lambda config: Topics(config, seconds=0.5, stop=Stop(), log=LOG),
    "latest": lambda config: latest(config, "t", LOG),
}


@pytest.fixture(autouse=True)
def _at_debug(caplog):
    caplog.set_level(logging.DEBUG)


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("client", CLIENTS)
def test_no_error_of_a_client_shows_a_secret(name, client, caplog):
    with pytest.raises(LegacyEventsError) as refused:
        CLIENTS[client](CONFIGS[name])
    assert HUNTER not in "".join([*traceback.format_exception(refused.value), caplog.text])


@pytest.mark.parametrize("name", ["token", "endpoint"])
def test_no_error_and_no_line_of_a_producer_shows_a_secret(name, caplog):
    settings = {**CONFIGS[name], "debug": "security,conf", "batch.size": 1000}
    producer = IdempotentProducer(settings, stop=Stop(), timeout=dt.timedelta(seconds=1), log=LOG)

    def told():
        producer._producer.poll(0.05)
        return producer._errors.text

    text = wait_until(told, "the error of the token")

    assert "Failed to acquire SASL OAUTHBEARER token" in text
    assert HUNTER not in text
    assert "rdkafka" in caplog.text
    assert HUNTER not in caplog.text


def test_every_secret_is_hidden_wherever_it_stands_and_nothing_else_is():
    hide = Hider({"sasl.password": "pw", "ssl.key.password": HUNTER, "sasl.username": "", "client.id": "shown"})

    assert hide(f'pw "pw" pwd x{HUNTER}y shown') == '*** "***" pwd x***y shown'
    assert Hider({})("shown") == "shown"


def test_a_line_of_a_client_is_passed_on_with_its_level(caplog):
    ClientLog(LOG, Hider({"sasl.password": HUNTER})).log(logging.WARNING, "%s [%s] 100%%", HUNTER, "c")

    assert [(one.levelno, one.getMessage()) for one in caplog.records] == [(logging.WARNING, "*** [c] 100%")]
