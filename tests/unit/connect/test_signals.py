"""Signals: how a table and its condition are written, for each kind of snapshot and database."""

import pytest

from airflow_legacy_events.connect.signals import BLOCKING, EXECUTE, INCREMENTAL, Signal

POSTGRES, MARIADB = "io.debezium.connector.postgresql.PostgresConnector", "io.debezium.connector.mariadb.MariaDb"


@pytest.mark.parametrize(
    ("snapshot", "plugin", "table", "written"),
    [
        (INCREMENTAL, MARIADB, "shop.a+b", (r"shop\.a\+b", "id > 1")),
        (BLOCKING, MARIADB, "shop.a`b.c", ("shop.a`b.c", "SELECT * FROM `shop`.`a``b.c` WHERE id > 1")),
        (BLOCKING, POSTGRES, 'public.A"b', ('public.A"b', 'SELECT * FROM "public"."A""b" WHERE id > 1')),
        (BLOCKING, "x.SqlServerConnector", "d.dbo.t", ("d.dbo.t", 'SELECT * FROM "d"."dbo"."t" WHERE id > 1')),
        (BLOCKING, "x.OracleConnector", "D.SHOP.T", ("D.SHOP.T", 'SELECT * FROM "SHOP"."T" WHERE id > 1')),
    ],
)
def test_a_condition_is_that_of_its_table(snapshot, plugin, table, written):
    data = Signal(EXECUTE, snapshot, (table,), {table: "id > 1"}).data(plugin)
    [condition] = data["additional-conditions"]
    assert (condition["data-collection"], condition["filter"]) == written


def test_a_whole_statement_stays_as_it_is():
    sql = " select * from t where id > 1"
    data = Signal(EXECUTE, BLOCKING, ("public.t",), {"public.t": sql}).data(POSTGRES)
    assert data["additional-conditions"][0]["filter"] == sql
