"""Columns of tables at each place of the binlog, with and without the names that the log may hold."""

from __future__ import annotations

import pytest

from airflow_legacy_events.databases.mysql.changelog.columns import Catalog
from airflow_legacy_events.databases.mysql.changelog.declared import carried
from airflow_legacy_events.databases.mysql.changelog.unknown import UnknownColumnsError
from tests.support.binlog_forms import followed, rows_of, shop_on
from tests.support.binlogs import BINLOGGED, SERVERS
from tests.support.mysql_catalog import SESSION, known

ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, ssn varchar(11) CHARACTER SET latin1, v int unsigned)"
INSERT = "INSERT INTO orders VALUES ({}, 'ä', 4000000000)"


@pytest.fixture(params=BINLOGGED)
def shop(request):
    with shop_on(request.getfixturevalue(SERVERS[request.param]), request.param) as found:
        yield found


def test_rows_are_named_by_the_columns_of_their_place(shop):
    for names in shop.names:
        shop.do("DROP TABLE IF EXISTS orders", ORDERS)
        with followed(shop.url, "orders") as log:
            shop.do(
                INSERT.format(1), "ALTER TABLE orders CHANGE ssn social varchar(20) CHARACTER SET latin1, ADD n int"
            )
            shop.do("INSERT INTO orders VALUES (2, 'ö', 1, 5)")
            first, second = rows_of(log.run(names=names))
            assert first.named == {"id": "1", "ssn": "ä", "v": "4000000000"}
            assert second.named == {"id": "2", "social": "ö", "v": "1", "n": "5"}
            assert first.read.form.types == ("int", "varchar(11)", "int unsigned")
            assert second.read.form.types == ("int", "varchar(20)", "int unsigned", "int")
            assert (first.numbers["ssn"], second.numbers) == (2, {"id": 1, "social": 2, "v": 3, "n": 4})
            now = log.columns("orders")
            assert {name: one.number for name, one in now.items()} == second.numbers
            assert [one.type for one in now.values()] == [*second.read.form.types]
            assert [one.name for one in second.read.form.columns if not one.nullable] == ["id"]


def test_a_pending_rename_is_seen_in_the_catalog_before_the_log_has_shown_it(shop):
    shop.do(ORDERS)
    with followed(shop.url, "orders") as log:
        shop.do(INSERT.format(1), "ALTER TABLE orders CHANGE ssn social varchar(11) CHARACTER SET latin1")
        assert {name: one.number for name, one in log.columns("orders").items()} == {"id": 1, "social": 2, "v": 3}
        shop.do("ALTER TABLE orders ADD COLUMN w int FIRST, DROP COLUMN v, MODIFY social varchar(11) AFTER w")
        numbers = {name: one.number for name, one in log.columns("orders").items()}
        assert (numbers["id"], numbers["social"], numbers["w"]) == (1, None, None)  # either may be the former `ssn`


def test_without_names_two_changes_of_the_columns_are_an_error_with_the_remedy(shop):
    shop.do(ORDERS)
    with followed(shop.url, "orders") as log:
        shop.do("ALTER TABLE orders CHANGE ssn a varchar(11) CHARACTER SET latin1", INSERT.format(1))
        shop.do("ALTER TABLE orders ADD INDEX (a)", "ALTER TABLE orders COMMENT 'x'", "CREATE TABLE other (id int)")
        [first] = rows_of(log.run(names=False))
        assert first.named == {"id": "1", "a": "ä", "v": "4000000000"}
        shop.do("ALTER TABLE orders MODIFY v bigint unsigned", INSERT.format(2))
        shop.do("ALTER TABLE orders CHANGE a b varchar(11) CHARACTER SET latin1", INSERT.format(3))
        with pytest.raises(UnknownColumnsError) as caught:
            log.run(names=False)
        first_line, second_line = str(caught.value).splitlines()
        assert "changed more than once" in first_line
        assert "SET GLOBAL binlog_row_metadata=FULL" in first_line
        assert '{"snapshot": ["' in second_line


def test_without_names_types_that_fit_neither_shape_are_an_error(shop):
    shop.do(ORDERS)
    with followed(shop.url, "orders") as log:
        shop.do("ALTER TABLE orders ADD n int", "INSERT INTO orders VALUES (1, 'a', 1, 5)", "ALTER TABLE orders DROP n")
        with pytest.raises(UnknownColumnsError, match="neither those of the last run nor those that it has now"):
            log.run(names=False)


def test_a_dropped_column_is_known_without_names(shop):
    shop.do(ORDERS)
    with followed(shop.url, "orders") as log:
        shop.do("ALTER TABLE orders DROP ssn", "INSERT INTO orders VALUES (1, 7)", "ALTER TABLE orders ADD z datetime")
        shop.do("INSERT INTO orders VALUES (2, 8, '2026-11-23')")
        first, second = rows_of(log.run(names=False))
        assert (first.named, first.numbers) == ({"id": "1", "v": "7"}, {"id": 1, "v": 3})
        assert second.numbers == {"id": 1, "v": 3, "z": 4}


def test_the_columns_of_the_last_run_hold_until_the_log_shows_their_change(shop):
    shop.do(ORDERS)
    with followed(shop.url, "orders") as log:
        shop.do(INSERT.format(1))
        log.run(names=False)
        shop.do(INSERT.format(2), "ALTER TABLE orders CHANGE ssn w varchar(11) CHARACTER SET latin1 AFTER v")
        shop.do("INSERT INTO orders VALUES (3, 9, 'ß')")
        first, second = rows_of(log.run(names=False))
        assert first.named == {"id": "2", "ssn": "ä", "v": "4000000000"}
        assert second.named == {"id": "3", "v": "9", "w": "ß"}


def test_a_key_that_is_no_column_there_is_an_error(shop):
    shop.do("CREATE TABLE orders (a int PRIMARY KEY, v int)")
    with followed(shop.url, "orders") as log:
        shop.do("INSERT INTO orders VALUES (1, 2)")
        with pytest.raises(UnknownColumnsError, match="key column 'id' is none of its columns"):
            log.run(names=shop.names[0])


def test_a_key_is_found_whatever_its_case(shop):
    shop.do(ORDERS)
    with followed(shop.url, "orders") as log:
        shop.do("ALTER TABLE orders CHANGE id ID int NOT NULL", INSERT.format(1))
        [found] = rows_of(log.run(names=shop.names[0]))
        assert (found.names, found.read.key) == (["id", "ssn", "v"], (0,))


def test_a_generated_invisible_key_is_the_key(shop):
    if shop.mariadb or shop.old:
        return
    shown = "SET GLOBAL show_gipk_in_create_table_and_information_schema = {}"
    shop.do("SET SESSION sql_generate_invisible_primary_key = ON", "CREATE TABLE g (n int)", shown.format("OFF"))
    try:
        for names in shop.names:
            with followed(shop.url, "g", g=("my_row_id",)) as log:
                shop.do("INSERT INTO g VALUES (7)")
                [found] = rows_of(log.run(names=names))
                assert (found.names, found.read.key, found.images[0][1]) == (["my_row_id", "n"], (0,), "7")
    finally:
        shop.do(shown.format("DEFAULT"))


def test_columns_that_no_query_shows_are_no_part_of_rows(shop):
    hidden = {
        "mariadb": [
            ("CREATE TABLE h (id int PRIMARY KEY, t text UNIQUE)", "INSERT INTO h VALUES (1, 'a')", None),
            ("CREATE TABLE h (id int PRIMARY KEY, t int) WITH SYSTEM VERSIONING", "INSERT INTO h VALUES (1, 2)", 2),
            (
                "CREATE TABLE h (id int PRIMARY KEY, t text UNIQUE) WITH SYSTEM VERSIONING",
                "INSERT INTO h VALUES (1, 'x')",
                2,
            ),
        ],
        "mysql": [
            ("CREATE TABLE h (id int PRIMARY KEY, t int, INDEX ((t + 1)))", "INSERT INTO h VALUES (1, 2)", None),
        ],
    }
    for table, insert, row_end in () if shop.old else hidden["mariadb" if shop.mariadb else "mysql"]:
        for names in (True, False):
            shop.do("DROP TABLE IF EXISTS h", table)
            with followed(shop.url, "h") as log:
                shop.do(insert, "UPDATE h SET t = 5", "DELETE FROM h")
                found, *others = rows_of(log.run(names=names))
                assert (found.names, found.read.row_end) == (["id", "t"], row_end), table
                assert len(found.images[0]) == 2 + (row_end is not None)
                if row_end is not None:
                    assert found.images[0][row_end] >= "2038-01-19 03:14:07.999999+00"
                assert [one.images[0][0] for one in others] == ["1"] * len(others)
                assert others[-1].images[0][1] == "5"


def test_the_end_of_a_named_version_stands_behind_all_columns(shop):
    if not shop.mariadb:
        return
    shop.do(
        "CREATE TABLE h (id int PRIMARY KEY, s timestamp(6) GENERATED ALWAYS AS ROW START,"
        " e timestamp(6) GENERATED ALWAYS AS ROW END, v int, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING"
    )
    with followed(shop.url, "h") as log:
        shop.do("INSERT INTO h (id, v) VALUES (1, 2)")
        [found] = rows_of(log.run())
        assert (found.names, found.read.row_end) == (["id", "s", "e", "v"], 4)
        assert found.images[0][4] == found.images[0][2] >= "2038-01-19 03:14:07.999999+00"


def test_generated_and_invisible_columns_are_in_all_images_or_in_none(shop):
    if shop.old:
        return
    shop.do(
        "CREATE TABLE g (id int PRIMARY KEY, a int GENERATED ALWAYS AS (id * 2) VIRTUAL,"
        " b int GENERATED ALWAYS AS (id * 3) STORED, c int INVISIBLE DEFAULT 5)"
    )
    hidden = {"a", "b"} if shop.engine == "mariadb-11.8" else set()
    with followed(shop.url, "g") as log:
        shop.do("INSERT INTO g (id) VALUES (7)", "UPDATE g SET id = 8", "DELETE FROM g")
        created, updated, deleted = rows_of(log.run())
        assert log.forms().omitted(log.tables[0].name) == hidden
        assert created.names == [one.name for one in log.reflected("g") if one.name not in hidden]
        old = {"id": "7", "a": "14", "b": "21", "c": "5"}
        new = {"id": "8", "a": "16", "b": "24", "c": "5"}
        assert created.named == {name: value for name, value in old.items() if name not in hidden}
        assert [dict(zip(updated.names, one, strict=True)) for one in updated.images] == [
            {name: value for name, value in one.items() if name not in hidden} for one in (old, new)
        ]
        assert deleted.named == {name: value for name, value in new.items() if name not in hidden}


def test_a_column_that_came_with_values_is_known_as_such(shop):
    shop.do(ORDERS)
    with followed(shop.url, "orders") as log:
        shop.do(
            "ALTER TABLE orders ADD a int, ADD b int DEFAULT 5, ADD c int NOT NULL DEFAULT 0, ADD d int DEFAULT NULL"
        )
        shop.do("INSERT INTO orders (id) VALUES (1)")
        log.run(names=False)
        shop.do("ALTER TABLE orders ALTER b DROP DEFAULT")
        assert [name for name, one in log.columns("orders").items() if one.filled] == ["id", "b", "c"]


def test_types_are_those_that_queries_report(shop):
    shop.do(SESSION)
    types = known(shop.connection)
    for start in range(0, len(types), 40):
        columns = ", ".join(f"c{at} {one.sql}" for at, one in enumerate(types[start : start + 40]))
        shop.do("DROP TABLE IF EXISTS t", f"CREATE TABLE t (id int PRIMARY KEY, {columns}) ROW_FORMAT = DYNAMIC")
        with followed(shop.url, "t") as log:
            shop.do("INSERT INTO t (id) VALUES (1)")
            [found] = rows_of(log.run(names=shop.names[0]))
            wanted = [(one.name, one.kind, one.type, one.nullable) for one in log.reflected("t")]
            assert [(one.name, one.kind, one.type, one.nullable) for one in found.read.form.columns] == wanted
            now = Catalog(log.access).columns(log.tables[0].name)
            assert now is not None
            assert [carried(one.declared).name for one in now.shape.columns] == [one[2] for one in wanted]
            assert [one.type for one in log.columns("t").values()] == [*found.read.form.types]
