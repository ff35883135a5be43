"""Values that MariaDB and MySQL cut with a warning only: whole where a session can make them so, else red."""

from __future__ import annotations

import json
import logging

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.mysql import settings
from tests.support.engines import MARIADB, of
from tests.support.legacy import legacy_database

ITEMS = [f"item number {number}" for number in range(1, 201)]
LISTS = {
    "GROUP_CONCAT": "GROUP_CONCAT(item ORDER BY id)",
    "JSON_ARRAYAGG": "JSON_ARRAYAGG(item)",
    "JSON_OBJECTAGG": "JSON_OBJECTAGG(id, item)",
}
TOO_LONG = "REPEAT(item, 2000000000)"


@pytest.fixture(params=of("mysql", also=("mysql-5.6",)))
def legacy(request):
    with legacy_database(request, request.param) as found:
        found.execute("CREATE TABLE line (id int PRIMARY KEY, customer int, item varchar(40) CHARACTER SET utf8mb4)")
        for number, item in enumerate(ITEMS, 1):
            found.execute("INSERT INTO line VALUES (%s, 1, %s)", number, item)
        found.begin_with(group_concat_max_len="1024")
        yield found


def read(legacy, query, **what):
    what = what or {"sql": query}
    with legacy.source(**what, watermark_columns=("customer",), key_columns=("customer",)) as source:
        return [row for batch in source.open(None).batches for row in batch.rows]


def as_view(legacy, query):
    legacy.connection._connection.query(f"CREATE OR REPLACE VIEW v AS {query}")
    return read(legacy, query, table="v")


WAYS = (read, as_view)


def test_a_list_is_whole_whatever_the_server_begins_with(legacy):
    made = LISTS if legacy.engine.name.startswith("mariadb") else {"GROUP_CONCAT": LISTS["GROUP_CONCAT"]}
    columns = ", ".join(f"{spelled} AS c{at}" for at, spelled in enumerate(made.values()))
    for how in WAYS:
        [(_, *found)] = how(legacy, f"SELECT customer, {columns} FROM line GROUP BY customer")
        assert found[0] == ",".join(ITEMS)
        for text in found[1:]:
            assert len(json.loads(text)) == len(ITEMS)


@pytest.mark.parametrize("function", ["GROUP_CONCAT", "JSON_ARRAYAGG"])
def test_a_list_that_is_too_long_for_any_session_fails_and_names_the_warning(legacy, function, monkeypatch):
    limited = function == "GROUP_CONCAT" or legacy.engine.name.startswith("mariadb")
    monkeypatch.setattr(settings, "_LONGEST_LIST_BYTES", 1_024)
    query = f"SELECT customer, {LISTS[function if limited else 'GROUP_CONCAT']} AS list FROM line GROUP BY customer"
    for how in WAYS:
        with pytest.raises(SourceError, match=r"what was read \(warning 1260\): .* group_concat_max_len") as failed:
            how(legacy, query)
        assert "item number" not in str(failed.value)


CUT = {
    TOO_LONG: (1301, "max_allowed_packet"),
    f"CONCAT('x', {TOO_LONG})": (1301, "max_allowed_packet"),
    "CAST(item AS CHAR(5))": (1292, r"LEFT\("),
    "CAST(id * 1e10 AS DECIMAL(10, 2))": (1264, "CAST to a type"),
    "CONVERT(UNHEX('FF') USING utf8mb4)": (1300, r"CAST\(... AS BINARY\)"),
}


def test_a_value_that_the_server_cuts_clamps_or_loses_fails_the_page(legacy):
    for spelled, (warning, remedy) in CUT.items():
        query = f"SELECT id AS customer, {spelled} AS cut FROM line WHERE id < 3"
        said = rf"\(warning {warning}\): .*{remedy}.* No row of the page was sent"
        for how in WAYS:
            with pytest.raises(SourceError, match=said) as failed:
                how(legacy, query)
            assert "item number" not in str(failed.value)


def test_a_value_that_is_cut_in_a_page_that_is_not_read_to_its_end_fails_it_too(legacy):
    database = legacy.database()
    query = f"SELECT id, REPEAT('x', 400000) AS body, IF(id = 2, {TOO_LONG}, '') AS cut FROM line"
    found = database.reflect(None, query)
    columns = [sa.column(column.name) for column in found.columns]
    page = sa.select(*columns).select_from(found.selectable).order_by(sa.column("id"))
    with pytest.raises(SourceError, match=r"\(warning 1301\)"):
        database.read(page, 2_000_000)
    database.close()


def test_a_number_that_is_beyond_a_whole_number_fails_the_page(legacy):
    spelled = {"CAST(CONCAT(id, '99999999999999999999') AS SIGNED)": 1292}
    if "5.6" not in legacy.engine.name:  # that warning does not hold the number there
        mariadb = legacy.engine.name.startswith("mariadb")
        spelled["CAST(CAST(id AS DECIMAL(40, 2)) * 10000000000000000000000 AS SIGNED)"] = 1916 if mariadb else 1292
    for cast, warning in spelled.items():
        for how in WAYS:
            with pytest.raises(
                SourceError, match=rf"\(warning {warning}\): a number is out of range for its type"
            ) as failed:
                how(legacy, f"SELECT id AS customer, {cast} AS cut FROM line WHERE id < 3")
            assert "99999" not in str(failed.value)


HARMLESS = {
    **dict.fromkeys(("id / 0", "5 % 0", "LEFT(item, 5)", "CAST(id / 3 AS DECIMAL(10, 2))"), ()),
    **dict.fromkeys(("item = 5", "item + 0", "CAST(item AS UNSIGNED)"), (1292,)),
    **dict.fromkeys(("CAST('12.5' AS SIGNED)", "CAST('1e3' AS SIGNED)", "CAST('x12' AS DECIMAL(4, 1))"), (1292,)),
    "STR_TO_DATE(item, '%Y')": (1411,),
}


def test_what_a_query_itself_makes_of_its_values_is_sent_and_told_once(legacy, caplog):
    caplog.set_level(logging.WARNING)
    for spelled, told in HARMLESS.items():
        for how in WAYS:
            caplog.clear()
            assert len(how(legacy, f"SELECT id AS customer, {spelled} AS found FROM line WHERE id < 4")) == 3
            lines = [record.getMessage() for record in caplog.records if "of the server)" in record.getMessage()]
            assert len(lines) == len(told), spelled
            for line, code in zip(lines, told, strict=True):
                assert f"(warning {code} of the server)" in line
                assert "item number" not in line


@pytest.mark.parametrize("legacy", MARIADB, indirect=True)
def test_a_query_that_recurses_often_is_whole_and_one_that_examines_too_few_rows_fails(legacy):
    counting = "WITH RECURSIVE r AS (SELECT 1 AS customer UNION ALL SELECT customer + 1 FROM r WHERE customer < 1500)"
    assert len(read(legacy, f"{counting} SELECT customer FROM r")) == 1500
    with pytest.raises(SourceError, match=r"\(warning 1931\)"):
        read(legacy, "SELECT id AS customer FROM line LIMIT ROWS EXAMINED 20")


@pytest.mark.parametrize("legacy", of("mysql"), indirect=True)
def test_a_computed_column_of_a_table_that_is_cut_fails_too(legacy):
    legacy.needs("generated columns")
    legacy.execute(f"CREATE TABLE t (id int PRIMARY KEY, item varchar(9), made longtext AS ({TOO_LONG}) VIRTUAL)")
    legacy.execute("SET sql_mode = ''")
    legacy.execute("INSERT INTO t (id, item) VALUES (1, 'x')")
    with legacy.source(watermark_columns=("id",)) as source, pytest.raises(SourceError, match=r"\(warning 1301\)"):
        list(source.open(None).batches)
