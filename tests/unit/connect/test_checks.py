"""Keys and plugins that are not what they seem, as they are found before any write."""

import pytest

from airflow_legacy_events.connect import checks
from airflow_legacy_events.connect.conflicts import conflicts
from airflow_legacy_events.core.errors import ConfigurationError

DEBEZIUM = "io.debezium.connector.postgresql.PostgresConnector"
PLUGINS = [{"class": DEBEZIUM}, {"class": "io.debezium.connector.jdbc.JdbcSinkConnector"}]
KNOWN = {
    "connector.class",
    "table.include.list",
    "topic.prefix",
    "column.mask.with.(d+).chars",
    "transforms.route.regex",
}


@pytest.mark.parametrize("name", [DEBEZIUM, "PostgresConnector", "Postgres", f" {DEBEZIUM} "])
def test_a_plugin_is_found_by_each_of_its_names(name):
    assert checks.plugin_of({"connector.class": name}, PLUGINS) == DEBEZIUM


def test_a_plugin_that_is_missing_names_those_that_are_there():
    with pytest.raises(ConfigurationError, match=f"Did you mean '{DEBEZIUM}'.*JdbcSinkConnector"):
        checks.plugin_of({"connector.class": DEBEZIUM.lower()}, PLUGINS)


def test_an_entry_of_validate_without_a_value_is_survived_and_passwords_are_known():
    body = {
        "configs": [
            {
                "definition": {"name": "a", "type": "PASSWORD"},
                "value": {"name": "a", "errors": ["x" * 9_000, "p is p1"]},
            },
            {"definition": {"name": "b", "type": "INT"}, "value": None},
        ]
    }
    verdict = checks.read_verdict(body)
    found = [str(one) for one in checks.refusals(verdict, {"p1"})]

    assert (verdict.known, verdict.passwords) == ({"a", "b"}, {"a"})
    assert len(found[0]) < 600
    assert found[1] == "'a' is refused: p is p1"


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("tabel.include.list", "table.include.list"),
        ("Topic.Prefix", "topic.prefix"),
        ("transforms.route.regx", "transforms.route.regex"),
        ("signal.kafak.topic", "signal.kafka.topic"),
        ("completely.different", None),
    ],
)
def test_a_key_that_nothing_knows_is_found_with_the_one_that_it_resembles(key, near):
    assert checks.unknown_keys({"connector.class": DEBEZIUM, key: "x"}, KNOWN) == {key: near}


@pytest.mark.parametrize(
    "key",
    [
        *(
            "table.include.list",
            "column.mask.with.12.chars",
            "driver.anything",
            "signal.kafka.topic",
            "topic.delimiter",
        ),
        *("topic.creation.default.partitions", "producer.override.acks", "isbn.type", "isbn.format", "internal.x"),
        *("transforms.route.of.its.own", "key.converter.schemas.enable", "schema.history.internal.kafka.topic"),
    ],
)
def test_a_key_that_is_passed_on_or_named_by_the_config_is_known(key):
    assert (
        checks.unknown_keys({"connector.class": DEBEZIUM, "converters": "isbn", key: "x"}, KNOWN | {"converters"}) == {}
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("table.whitelist", "table.include.list"),
        ("database.server.name", "topic.prefix"),
        ("database.history.kafka.bootstrap.servers", "schema.history.internal.kafka.bootstrap.servers"),
        ("column.blacklist", "column.exclude.list"),
    ],
)
def test_a_renamed_key_is_an_error_of_debezium_alone_and_names_the_new_one(old, new):
    (found,) = checks.renamed_keys({"connector.class": DEBEZIUM, old: "x"}, KNOWN)

    assert f"{old!r} is ignored by this Debezium: use {new!r}" in str(found)
    assert checks.renamed_keys({"connector.class": "com.acme.Source", old: "x"}, KNOWN) == []
    assert checks.renamed_keys({"connector.class": DEBEZIUM, old: "x"}, KNOWN | {old}) == []
    assert checks.unknown_keys({"connector.class": DEBEZIUM, old: "x"}, KNOWN) == {}


HERE = {"connector.class": DEBEZIUM, "database.hostname": "localhost", "topic.prefix": "a"}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"topic.prefix": "b", "database.hostname": "127.0.0.1", "database.port": "5432"}, ["reads slot 'debezium'"]),
        ({"topic.prefix": "b", "database.port": "5433"}, []),
        ({"topic.prefix": "a", "database.hostname": "elsewhere"}, ["has topic.prefix 'a'"]),
        ({"topic.prefix": "b", "slot.name": "mine"}, []),
        ({"topic.prefix": "a", "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector"}, []),
    ],
)
def test_what_two_connectors_can_not_share_is_found(other, said):
    found = [str(one) for one in conflicts("c", HERE, {"c": HERE, "d": HERE | other})]

    assert len(found) == len(said)
    assert all(text in one for text, one in zip(said, found, strict=True))
