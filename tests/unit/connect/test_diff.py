"""What differs between a live and a declared config, and what of it may be shown."""

import pytest

from airflow_legacy_events.connect.diff import compare, not_snapshotted
from airflow_legacy_events.connect.secrets import holds_secret, is_masked, secrets_of

POSTGRES = {"connector.class": "io.debezium.connector.postgresql.PostgresConnector"}


def test_a_difference_names_what_is_set_changed_and_removed():
    live = {"name": "c", "a": "1", "b": "2", "database.password": "old-one", "gone": "x"}
    declared = {"a": "1", "b": "3", "database.password": "new-one", "new": "y"}

    assert compare(live, declared).to_dict() == {
        "b": {"live": "2", "declared": "3"},
        "database.password": {"live": "***", "declared": "***"},
        "gone": {"live": "x", "declared": None},
        "new": {"live": None, "declared": "y"},
    }
    assert compare(live, {key: value for key, value in live.items() if key != "name"}).keys == []
    assert compare(None, declared).keys == sorted(declared)


def test_a_value_that_the_worker_hides_is_no_difference_but_one_that_is_not_declared_is():
    live = {"database.password": "********", "sasl.jaas.config": "[hidden]"}

    assert compare(live, {"database.password": "p", "sasl.jaas.config": "q"}).keys == []
    assert compare(live, {"database.password": "p"}).keys == ["sasl.jaas.config"]


def test_what_the_plugin_declares_as_a_password_is_a_secret_whatever_its_name():
    found = compare({"pin": "4711"}, {"pin": "4712"})

    assert found.to_dict({"pin"}) == {"pin": {"live": "***", "declared": "***"}}
    assert found.to_dict() == {"pin": {"live": "4711", "declared": "4712"}}


@pytest.mark.parametrize(
    ("key", "value", "secret"),
    [
        ("database.password", "x1", True),
        ("database.password", "${file:/run/crm.properties:password}", False),
        ("database.password", "${env:CRM_PASSWORD}", False),
        ("database.password", "x${env:CRM_PASSWORD}", True),
        ("schema.history.internal.producer.sasl.jaas.config", "a.B required username=u password=p;", True),
        ("value.converter.basic.auth.user.info", "u:p", True),
        ("ssl.keystore.key", "-----BEGIN", True),
        ("mongodb.connection.string", "mongodb://h/", True),
        ("connection.url", "jdbc:postgresql://h/d?user=u&password=p", True),
        ("connection.url", "jdbc:postgresql://h:5432/d", False),
        ("connection.uri", "mongodb://u:p@h/", True),
        ("oauth.access.token", "t", True),
        ("aws.secret.access.key", "k", True),
        ("database.user", "crm", False),
        ("message.key.columns", "public.orders:id", False),
        ("tombstones.on.delete", "true", False),
        ("ssl.keystore.pass", "x1y2z3", True),
        ("custom.header", "Bearer x1y2z3", True),
        ("compass", "north", False),
        ("field.bearer", "basic", False),
        ("delete.tombstone.token.enabled", "true", False),
    ],
)
def test_secrets_are_known_by_name_or_by_form(key, value, secret):
    assert holds_secret(key, value) is secret
    assert secrets_of({key: value}) == ({value} if secret else set())


@pytest.mark.parametrize(
    ("value", "masked"), [("***", True), ("[hidden]", True), ("*", False), ("a***", False), ("", False)]
)
def test_masks_of_workers_are_known(value, masked):
    assert is_masked(value) is masked


@pytest.mark.parametrize(
    ("live", "declared", "expected"),
    [
        ({"table.include.list": "a.b"}, {"table.include.list": "a.b, a.c"}, ["a.c"]),
        ({"table.include.list": "a.b,a.c"}, {"table.include.list": "a.b"}, []),
        ({}, {"table.include.list": "a.b"}, []),
        ({"schema.include.list": "a"}, {"schema.include.list": "a,b"}, ["b.*"]),
        ({"table.include.list": "a.b"}, {"table.include.list": "a.c", "snapshot.mode": "always"}, []),
        (None, {"table.include.list": "a.b"}, []),
    ],
)
def test_added_tables_are_not_snapshotted(live, declared, expected):
    live = None if live is None else POSTGRES | live
    assert not_snapshotted(live, POSTGRES | declared) == expected
