"""Workers of a test's own: with TLS and logins, one that is just starting, and two of one cluster."""

import datetime as dt
import json
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from airflow_legacy_events.hooks.connect import KafkaConnectHook
from airflow_legacy_events.operators.connect import ConnectorStateOperator, ConnectorUpsertOperator
from tests.services.base import wait_until
from tests.services.connect import Connect
from tests.support import connectors
from tests.support.certificates import Authority

LOGIN, PASSWORD = "airflow", "open-sesame-77"
SINK = {"connector.class": connectors.JDBC_SINK, "topics": "t", "connection.url": "jdbc:postgresql://nowhere.invalid/x"}
REBALANCE = {"scheduled.rebalance.max.delay.ms": "1000"}


def signed(authority, folder, name, host):
    """A certificate with its key, in files and as a store that Java reads; returns the store."""
    certificate, key, store = (folder / f"{name}.{kind}" for kind in ("crt", "key", "p12"))
    authority.sign(certificate, key, host)
    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    sealed = serialization.BestAvailableEncryption(PASSWORD.encode())
    store.write_bytes(pkcs12.serialize_key_and_certificates(name.encode(), loaded, found, None, sealed))
    return str(store)


def trusted(authority, folder):
    """A store of the authority alone."""
    store = str(folder / "trusted.p12")
    how = ("-storetype", "PKCS12", "-storepass", PASSWORD, "-keystore", store, "-file", str(authority.path))
    subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", "a", *how], check=True, capture_output=True)
    return store


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("connect"), "authority")


@pytest.fixture(scope="module")
def secured(authority, kafka):
    """Speaks TLS with clients that have a certificate, and demands a login."""
    folder = authority.folder
    (folder / "logins").write_text(f"{LOGIN}={PASSWORD}\n")
    (folder / "jaas.conf").write_text(
        "KafkaConnect { org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required"
        f' file="{folder}/logins"; }};\n'
    )
    settings = {
        "listeners": "https://127.0.0.1:{port}",
        "rest.advertised.listener": "https",
        "rest.extension.classes": "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension",
        "listeners.https.ssl.client.auth": "required",
        "listeners.https.ssl.keystore.type": "PKCS12",
        "listeners.https.ssl.keystore.location": signed(authority, folder, "worker", "127.0.0.1"),
        "listeners.https.ssl.keystore.password": PASSWORD,
        "listeners.https.ssl.key.password": PASSWORD,
        "listeners.https.ssl.truststore.type": "PKCS12",
        "listeners.https.ssl.truststore.location": trusted(authority, folder),
        "listeners.https.ssl.truststore.password": PASSWORD,
    }
    signed(authority, folder, "client", "airflow")
    options = [f"-Djava.security.auth.login.config={folder}/jaas.conf"]
    worker = Connect(
        kafka.bootstrap,
        shared=False,
        settings=settings,
        options=options,
        cert=(str(folder / "client.crt"), str(folder / "client.key")),
    )
    yield worker
    worker.stop()


def answer_of(monkeypatch, worker, login=LOGIN, password=PASSWORD, **extra):
    made = {"conn_type": "kafka_connect", "host": "127.0.0.1", "port": worker.port, "schema": "https", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SECURED", json.dumps(made | {"login": login, "password": password}))
    return KafkaConnectHook("secured").test_connection()


def test_a_worker_with_tls_and_logins_is_used_and_what_is_wrong_is_said(monkeypatch, secured, authority):
    verify, cert = str(authority.path), [str(authority.folder / f"client.{kind}") for kind in ("crt", "key")]

    assert answer_of(monkeypatch, secured, verify=verify, cert=cert)[0]
    assert answer_of(monkeypatch, secured, verify=False, cert=",".join(cert))[0]
    wrong = [
        ("refuses the login (401)", {"password": "guessed-it", "verify": verify, "cert": cert}),
        ("check the schema, and `verify`", {"cert": cert}),
        ("check the schema, and `verify`", {"verify": verify}),
    ]
    for said, arguments in wrong:
        reached, text = answer_of(monkeypatch, secured, **arguments)
        assert (reached, said in text, PASSWORD in text, "guessed-it" in text) == (False, True, False, False), text

    answer_of(monkeypatch, secured, verify=verify, cert=cert)
    arguments = {"connect_conn_id": "secured", "connector": "c", "config": SINK, "state": "stopped"}
    assert ConnectorUpsertOperator(task_id="t", **arguments).execute({})["action"] == "created"


def test_a_worker_that_is_starting_is_waited_for(monkeypatch, kafka):
    worker = Connect(kafka.bootstrap, shared=False)
    try:
        connectors.connection(monkeypatch, worker.url)
        worker.begin("c", SINK)
        worker.kill()
        worker.begin_again()

        assert ConnectorStateOperator(task_id="t", connector="c", state="stopped").execute({})["state"] == "stopped"
        missing = ConnectorStateOperator(task_id="t", connector="other", state="stopped", missing="ok")
        assert missing.execute({})["action"] == "missing"
    finally:
        worker.stop()


def test_the_other_worker_answers_where_one_was_killed(monkeypatch, kafka):
    first = Connect(kafka.bootstrap, shared=False, settings=REBALANCE)
    second = Connect(kafka.bootstrap, shared=False, settings=REBALANCE, group=first.group)
    try:
        connectors.connection(monkeypatch, f"{first.url},{second.url}")
        for name in ("a", "b"):
            wait_until(lambda name=name: joined(first, name), f"connector {name} being created")
        first.kill()
        arguments = {"timeout": dt.timedelta(minutes=2), "stable_for": dt.timedelta(seconds=1)}
        for name in ("a", "b"):
            upsert = ConnectorUpsertOperator(task_id="t", connector=name, config=SINK | {"batch.size": 9}, **arguments)
            assert upsert.execute({})["action"] == "updated"
            assert second.config(name)["batch.size"] == "9"
    finally:
        second.stop()
        first.stop()


def joined(worker, name):
    """Create a connector, once the cluster has come to rest."""
    body = {"name": name, "config": {key: str(value) for key, value in SINK.items()}, "initial_state": "STOPPED"}
    return worker.client.post("/connectors", json=body).is_success
