"""Connectors that take the log away from each other: by one slot, or one server id, on one server."""

import pytest

from airflow_legacy_events.connect.conflicts import rivals

POSTGRES = {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "database.hostname": "crm-db",
    "slot.name": "crm",
    "topic.prefix": "crm",
}
MARIADB = {
    "connector.class": "io.debezium.connector.mariadb.MariaDbConnector",
    "database.hostname": "shop-db",
    "database.server.id": "7",
}


@pytest.mark.parametrize(
    ("config", "other", "text"),
    [
        (POSTGRES, POSTGRES, "connector 'other' reads slot 'crm' of crm-db:5432 too"),
        (POSTGRES, POSTGRES | {"database.port": "5432", "database.hostname": "CRM-DB"}, "reads slot 'crm'"),
        (POSTGRES, POSTGRES | {"slot.name": "b"}, None),
        (POSTGRES, POSTGRES | {"database.hostname": "another"}, None),
        (MARIADB, MARIADB, "connector 'other' has database.server.id '7' of shop-db:3306 too"),
        (MARIADB, MARIADB | {"database.server.id": "8"}, None),
        (MARIADB, POSTGRES, None),
        (POSTGRES, {"connector.class": "JdbcSink"}, None),
    ],
)
def test_they_are_named(config, other, text):
    found = rivals("this", config, {"this": config, "other": other})

    assert [text in str(one) for one in found] == ([True] if text else [])
