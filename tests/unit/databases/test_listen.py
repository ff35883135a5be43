"""What is known of listening without a server."""

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.databases.generic import GenericDatabase
from airflow_legacy_events.databases.mysql import MysqlDatabase
from airflow_legacy_events.databases.postgres import PostgresDatabase
from airflow_legacy_events.databases.sqlite import SqliteDatabase


@pytest.mark.parametrize(
    ("made", "url", "name"),
    [
        (SqliteDatabase, "sqlite:///shop.db", "sqlite"),
        (GenericDatabase, "sqlite:///shop.db", "sqlite"),
        (MysqlDatabase, "mysql+mysqldb://reader@nowhere/shop", "mysql"),
    ],
)
def test_who_has_no_notifications_refuses_a_channel_before_it_connects(made, url, name):
    database = made(sa.make_url(url), conn_id="crm", statement_timeout_seconds=5)

    with pytest.raises(
        ConfigurationError, match=f"channel='news' was given, .* 'crm' leads to {name}, which has no NOTIFY"
    ):
        database.listen("news")


@pytest.mark.parametrize("channel", ["", "x" * 64, "ü" * 32])
def test_a_name_that_no_channel_has_is_refused_where_listen_would_cut_it(channel):
    database = PostgresDatabase(sa.make_url("postgresql+psycopg://"), conn_id="crm", statement_timeout_seconds=5)

    with pytest.raises(ConfigurationError, match="1 to 63 bytes"):
        database.listen(channel)
