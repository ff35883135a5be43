"""Statements in the binlog of real servers: what each does to the tables of a stream."""

from __future__ import annotations

import pytest

from tests.services.mysql_family import connect, run
from tests.support.binlog_forms import followed, rows_of, said_in, shop_on
from tests.support.binlogs import BINLOGGED, SERVERS

TABLES = ("orders", "items", "parts")
LOST, ADDED, NEAR = "lost, rows may have gone", "lost", "gap, rows may have gone"
ALL = dict.fromkeys(TABLES, LOST)
BESIDE = dict.fromkeys(TABLES, NEAR)
TEMPORARY = ("CREATE TEMPORARY TABLE x (id int)", "INSERT INTO x VALUES (1)", "DROP TEMPORARY TABLE x")


@pytest.fixture(params=BINLOGGED)
def shop(request):
    with shop_on(request.getfixturevalue(SERVERS[request.param]), request.param) as found:
        yield found


def made(shop):
    for one in (*TABLES, "stage", "former", "other"):
        shop.do(f"DROP TABLE IF EXISTS `{one}`")
    shop.do(
        "CREATE TABLE orders (id int PRIMARY KEY, v int, note varchar(20))",
        "CREATE TABLE items (id int PRIMARY KEY, o int)",
        "CREATE TABLE stage LIKE orders",
        "CREATE TABLE other (id int PRIMARY KEY, v int)",
        "CREATE TABLE parts (id int PRIMARY KEY, v int) PARTITION BY RANGE (id)"
        " (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))",
        "INSERT INTO orders VALUES (1, 1, 'a'), (2, 2, 'b')",
        "INSERT INTO items VALUES (1, 1)",
        "INSERT INTO parts VALUES (1, 1), (11, 1)",
    )


def statements(shop):
    """Statements of a session with `binlog_format=STATEMENT`, each with what it does."""
    yield "INSERT INTO orders VALUES (3, 3, 'it\\'s; DELETE items')", {"orders": ADDED}
    yield "REPLACE INTO `orders` SELECT id + 10, v, note FROM stage", {"orders": LOST}
    yield "UPDATE orders o JOIN items i ON o.id = i.id SET o.v = 5", {"orders": LOST}
    yield "UPDATE orders, items SET items.o = 7 WHERE orders.id = items.id", {"items": LOST}
    yield "UPDATE orders, items SET v = 8, o = 9 WHERE orders.id = items.id", {"orders": LOST, "items": LOST}
    yield "DELETE o FROM orders o JOIN items i ON i.id = o.id", {"orders": LOST}
    yield "DELETE FROM i USING orders o JOIN items i ON i.id = o.id", {"items": LOST}
    yield "/* a */ DELETE FROM `orders` -- b\n WHERE id = 5", {"orders": LOST}
    yield "DELETE FROM orders", {"orders": LOST}
    yield "INSERT INTO other VALUES (1, 1)", BESIDE
    yield "CREATE TABLE former AS SELECT * FROM orders", None if shop.old else {}
    if shop.mariadb:
        yield "SET STATEMENT max_statement_time=9 FOR DELETE FROM orders WHERE id = 1", {"orders": LOST}
        yield "ANALYZE UPDATE orders SET v = 4", {"orders": LOST}
        yield "INSERT INTO orders (id) VALUES (6) RETURNING id", {"orders": ADDED}
    elif not shop.old:
        yield "WITH x AS (SELECT 1 AS id) DELETE FROM orders WHERE id IN (SELECT id FROM x)", {"orders": LOST}


def test_what_was_changed_by_a_statement_is_lost(shop):
    made(shop)
    with followed(shop.url, *TABLES) as log:
        shop.do("SET SESSION binlog_format = 'STATEMENT'")
        wanted = {}
        for statement, effects in statements(shop):
            if effects is not None:
                shop.do(statement)
                wanted |= {statement: effects} if effects else {}
        shop.do(*TEMPORARY)
        shop.do("SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'")
        quoted = r"""UPDATE "orders" JOIN "items" USING (id) SET "orders".note = 'c:\', "items".o = 1"""
        shop.do(quoted, "SET sql_mode = ''", "SET SESSION binlog_format = 'ROW'")
        wanted[quoted] = {"orders": LOST, "items": LOST}
        assert said_in(log.run()) == wanted


def test_what_routines_change_by_statements_is_lost(shop):
    made(shop)
    run(shop.connection, "SET SESSION binlog_format = 'STATEMENT'")
    shop.do(
        "CREATE FUNCTION f() RETURNS int DETERMINISTIC BEGIN INSERT INTO orders (id) VALUES (50); RETURN 1; END",
        "CREATE PROCEDURE p(x int) BEGIN INSERT INTO orders (id) VALUES (x); UPDATE items SET o = x; END",
    )
    with followed(shop.url, *TABLES) as log:
        shop.do("SELECT f()", "CALL p(60)", "SET @a = 2", "PREPARE q FROM 'DELETE FROM orders WHERE id = ?'")
        shop.do("EXECUTE q USING @a", "SET SESSION binlog_format = 'ROW'")
        found = log.run()
        assert [one.effects for one in found] == [ALL, {"orders": ADDED}, {"items": LOST}, {"orders": LOST}]


def definitions(shop):
    """Statements that define tables, each with what it does to them."""
    yield "TRUNCATE orders", {"orders": "emptied"}
    yield "truncate /* x */ table `orders`", {"orders": "emptied"}
    yield "DROP TABLE `orders`,`items`", {"orders": "emptied", "items": "emptied"}
    yield "RENAME TABLE orders TO former, stage TO orders", {"orders": NEAR}
    yield "ALTER TABLE orders RENAME TO former", {"orders": NEAR}
    yield "ALTER TABLE orders RENAME former", {"orders": NEAR}
    yield "ALTER TABLE parts TRUNCATE PARTITION p0", {"parts": "emptied in part"}
    yield "ALTER TABLE parts DROP PARTITION p0", {"parts": "emptied in part"}
    yield "ALTER TABLE parts EXCHANGE PARTITION p0 WITH TABLE other", {"parts": "emptied in part"}
    yield "ALTER TABLE parts EXCHANGE PARTITION p0 WITH TABLE items", {"parts": "emptied in part", "items": NEAR}
    ranges = "PARTITION a VALUES LESS THAN (5), PARTITION b VALUES LESS THAN (10)"
    for fine in (
        f"ALTER TABLE parts REORGANIZE PARTITION p0 INTO ({ranges})",
        "ALTER TABLE parts ADD PARTITION (PARTITION p2 VALUES LESS THAN (30))",
        "ALTER TABLE parts REMOVE PARTITIONING",
        "ALTER TABLE orders ADD COLUMN n int DEFAULT 5, ADD INDEX (v), DROP COLUMN note, COMMENT 'TRUNCATE orders'",
        "CREATE INDEX i ON orders (v)",
        "CREATE VIEW w AS SELECT * FROM orders",
        "CREATE TRIGGER g BEFORE INSERT ON other FOR EACH ROW DELETE FROM orders",
        "CREATE TABLE IF NOT EXISTS orders (id int)",
        "DROP TABLE IF EXISTS nowhere",
        "CREATE TEMPORARY TABLE orders (id int)",
        "OPTIMIZE TABLE orders",
        "INSERT INTO orders VALUES (9, 9, 'TRUNCATE orders')",
    ):
        yield fine, {}
    if shop.mariadb:
        yield "CREATE OR REPLACE TABLE orders (id int PRIMARY KEY)", {"orders": "emptied"}
        yield "ALTER TABLE parts CONVERT PARTITION p0 TO TABLE former", {"parts": "emptied in part"}
        yield "EXECUTE IMMEDIATE 'TRUNCATE TABLE orders'", {"orders": "emptied"}
        yield "SET STATEMENT max_statement_time=9 FOR TRUNCATE TABLE orders", {"orders": "emptied"}
    elif not shop.old:
        yield "ALTER TABLE orders RENAME COLUMN v TO w, ALGORITHM=INSTANT", {}


def test_definitions_do_what_they_say(shop):
    for statement, effects in definitions(shop):
        run(shop.connection, "DROP TEMPORARY TABLE IF EXISTS orders")
        made(shop)
        shop.do("DROP VIEW IF EXISTS w", "DROP TRIGGER IF EXISTS g")
        if "EXCHANGE" in statement:
            shop.do("ALTER TABLE items CHANGE o v int")
        with followed(shop.url, *TABLES) as log:
            shop.do(statement)
            said = said_in(log.run())
            found = [each for text, each in said.items() if not text.startswith("XA ")]  # another test's
            assert found == ([effects] if effects else []), (statement, said)


def test_a_swap_is_one_gap_and_rows_behind_it_are_those_of_the_new_table(shop):
    made(shop)
    shop.do("ALTER TABLE stage ADD COLUMN extra int, MODIFY note varchar(40)")
    for names in shop.names:
        with followed(shop.url, *TABLES) as log:
            shop.do("INSERT INTO orders (id) VALUES (70)", "INSERT INTO stage (id) VALUES (1)")
            shop.do("RENAME TABLE orders TO former, stage TO orders", "INSERT INTO orders (id, extra) VALUES (71, 5)")
            shop.do("INSERT INTO former (id) VALUES (72)")
            before, gap, behind = log.run(names=names)
            assert (before.named["id"], gap.effects) == ("70", {"orders": NEAR})
            assert (behind.names, behind.named["extra"]) == (["id", "v", "note", "extra"], "5")
            assert list(behind.numbers.values()) == [1, 2, 3, 4]
            shop.do("RENAME TABLE orders TO stage, former TO orders", "DELETE FROM orders", "DELETE FROM stage")


def test_a_table_that_is_dropped_and_made_again_is_emptied_once(shop):
    made(shop)
    with followed(shop.url, *TABLES) as log:
        shop.do("DROP TABLE orders", "DROP TABLE IF EXISTS orders", "CREATE TABLE IF NOT EXISTS orders (id int, z int)")
        shop.do("INSERT INTO orders VALUES (1, 2)")
        found = log.run(names=shop.names[0])
        assert [one.effects for one in found[:-1]] == [{"orders": "emptied"}]
        assert rows_of(found)[0].named == {"id": "1", "z": "2"}


def test_a_dropped_database_empties_its_tables(shop):
    made(shop)
    with followed(shop.url, *TABLES) as log:
        database = log.url.database
        shop.do(f"DROP DATABASE {database}", f"CREATE DATABASE {database}", f"USE {database}")
        assert list(said_in(log.run()).values()) == [dict.fromkeys(TABLES, "emptied")]


def test_statements_are_read_in_the_character_set_of_their_client(shop):
    shop.do("CREATE TABLE größe (id int PRIMARY KEY)")
    with followed(shop.url, "größe") as log, connect(shop.url.replace("utf8mb4", "latin1")) as client:
        client.query(b"SET NAMES latin1")
        client.query("TRUNCATE TABLE größe".encode("latin-1"))
        assert [one.effects for one in log.run()] == [{"größe": "emptied"}]


def test_a_memory_table_that_the_server_empties_is_emptied(shop):
    shop.do("CREATE TABLE orders (id int PRIMARY KEY) ENGINE=MEMORY")
    with followed(shop.url, "orders") as log:
        shop.do("SET SESSION binlog_format = 'STATEMENT'", "DELETE FROM orders", "SET SESSION binlog_format = 'ROW'")
        assert [one.effects for one in log.run()] == [{"orders": "emptied"}]


def test_partitions_of_history_are_dropped_without_a_word(shop):
    if not shop.mariadb:
        return
    shop.do(
        "CREATE TABLE orders (id int PRIMARY KEY, v int) WITH SYSTEM VERSIONING"
        " PARTITION BY SYSTEM_TIME LIMIT 1000 (PARTITION a HISTORY, PARTITION b HISTORY, PARTITION c CURRENT)"
    )
    with followed(shop.url, "orders") as log:
        shop.do("ALTER TABLE orders DROP PARTITION a", "DELETE HISTORY FROM orders")
        assert log.run() == []
