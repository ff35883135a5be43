"""Makes the golden binlogs: `python -m tests.golden.binlog.generate [name…]` starts a server of each kind.

`<name>.binlog` is the file, `<name>.json` what the server says of it by SHOW BINLOG EVENTS. The expected events in
`<name>.jsonl` are written by `python -m tests.golden.binlog.expected`; look at their differences before you commit.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.services.mariadb import MariaDB, MariaDB11
from tests.services.mysql import MySQL
from tests.services.mysql9 import MySQL9
from tests.services.mysql_family import MySQLFamily, connect, run

HERE = Path(__file__).parent
SERVERS: dict[str, type[MySQLFamily]] = {
    "mariadb10": MariaDB,
    "mariadb11": MariaDB11,
    "mysql56": MySQL,
    "mysql97": MySQL9,
}
SETTINGS = {
    "mysql56": {"gtid-mode": "OFF", "enforce-gtid-consistency": "OFF"},
    "mysql97": {"binlog-row-metadata": "FULL"},
}

_TABLES = """
CREATE DATABASE golden CHARACTER SET utf8; USE golden;
CREATE TABLE orders (id INT UNSIGNED NOT NULL, name VARCHAR(40), amount DECIMAL(10, 2), day DATE, at DATETIME(6),
    stamp TIMESTAMP(3) NULL, state ENUM('new', 'größe') CHARACTER SET latin1, tags SET('a', 'b', 'ß'), flag BIT(3),
    note TEXT CHARACTER SET latin1, raw BLOB, price DOUBLE, small TINYINT UNSIGNED, born YEAR, code CHAR(4),
    wide VARCHAR(200) CHARACTER SET utf8mb4, place POINT, tail SMALLINT, PRIMARY KEY (id));
CREATE TABLE keyless (a CHAR(100) CHARACTER SET utf8mb4, b BINARY(3)) ENGINE=MyISAM;
CREATE TABLE prefixed (a VARCHAR(20), b INT, c VARCHAR(300), PRIMARY KEY (b, c(5)))
"""
_ROWS = """
INSERT INTO orders (id, name, amount, day, at, state, tags, flag, note, price, small, tail) VALUES
    (1, 'Ä', 1.5, '2026-11-30', '2026-11-30 01:02:03.4', 'größe', 'a,ß', 5, 'é', 0.1, 255, -1), (4294967295, NULL,
    -0.01, NULL, NULL, NULL, '', NULL, NULL, NULL, NULL, NULL);
UPDATE orders SET name = 'b', place = ST_GeomFromText('POINT(1 2)') WHERE id = 1; DELETE FROM orders WHERE id > 1;
INSERT INTO keyless VALUES ('x', 0x0001); INSERT INTO prefixed VALUES ('a', 1, REPEAT('c', 256));
BEGIN; INSERT INTO orders (id) VALUES (10); SAVEPOINT here; INSERT INTO orders (id) VALUES (11); ROLLBACK TO here;
INSERT INTO orders (id) VALUES (12); COMMIT;
SET binlog_row_image = MINIMAL; UPDATE orders SET small = 1 WHERE id = 10; SET binlog_row_image = FULL;
TRUNCATE keyless; ALTER TABLE orders ADD COLUMN more INT DEFAULT 5 AFTER id
"""
_WITHOUT_GTIDS = """
BEGIN; INSERT INTO orders (id) VALUES (13); INSERT INTO keyless VALUES ('y', NULL); COMMIT;
BEGIN; INSERT INTO orders (id) VALUES (20); SAVEPOINT there; INSERT INTO orders (id) VALUES (21);
CREATE TEMPORARY TABLE t (a INT); DROP TEMPORARY TABLE t; ROLLBACK TO there; COMMIT;
BEGIN; INSERT INTO orders (id) VALUES (22); CREATE TEMPORARY TABLE t (a INT); DROP TEMPORARY TABLE t; ROLLBACK
"""
_XA = """
XA START 'one', 'two', 7; INSERT INTO orders (id) VALUES (30); XA END 'one', 'two', 7; XA PREPARE 'one', 'two', 7;
XA COMMIT 'one', 'two', 7;
XA START 'back'; INSERT INTO orders (id) VALUES (31); XA END 'back'; XA PREPARE 'back'; XA ROLLBACK 'back';
XA START 'phase'; INSERT INTO orders (id) VALUES (32); XA END 'phase'; XA COMMIT 'phase' ONE PHASE
"""
_STATEMENTS = """
SET binlog_format = STATEMENT, @given = 'größe';
CREATE TABLE counted (id INT AUTO_INCREMENT PRIMARY KEY, at DOUBLE, v VARCHAR(20));
INSERT INTO counted (at, v) VALUES (RAND(), @given); SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES';
UPDATE "counted" SET v = 'a\\b' WHERE id = 1; SET binlog_format = ROW, sql_mode = ''
"""
_LOADED = "SET binlog_format = STATEMENT; LOAD DATA INFILE '{}' INTO TABLE counted (v); SET binlog_format = ROW"
_MARIADB = """
CREATE TABLE own (id INT PRIMARY KEY, u UUID, i INET6, j JSON, l LONGTEXT UNIQUE, INDEX (i));
INSERT INTO own VALUES (1, '123e4567-e89b-12d3-a456-426655440000', '::1', '{"a": 1}', 'x');
SET binlog_alter_two_phase = ON; ALTER TABLE own ADD COLUMN k INT; SET binlog_alter_two_phase = OFF;
SET GLOBAL log_bin_compress = ON, GLOBAL log_bin_compress_min_len = 10;
INSERT INTO orders (id, note) VALUES (40, REPEAT('z', 300)); UPDATE orders SET note = REPEAT('y', 300) WHERE id = 40;
DELETE FROM orders WHERE id = 40; CREATE TABLE packed (id INT PRIMARY KEY) COMMENT 'compressed, being a long statement';
SET GLOBAL log_bin_compress = OFF; SET gtid_domain_id = 3; INSERT INTO packed VALUES (1); SET gtid_domain_id = 0
"""
_MYSQL = """
SET binlog_rows_query_log_events = ON; INSERT INTO orders (id) VALUES (50); SET binlog_rows_query_log_events = OFF
"""
_MYSQL9 = """
CREATE TABLE own (id INT PRIMARY KEY, j JSON, v VECTOR(3), l LONGTEXT CHARACTER SET latin1);
INSERT INTO own VALUES (1, '{"a": 1, "b": "long enough to be left where it is"}', TO_VECTOR('[1,2,3]'), 'x');
SET binlog_row_value_options = PARTIAL_JSON; UPDATE own SET j = JSON_SET(j, '$.a', 2);
SET binlog_row_value_options = ''; SET binlog_transaction_compression = ON;
BEGIN; INSERT INTO orders (id, note) VALUES (60, REPEAT('z', 300)); INSERT INTO packed_too VALUES (1); COMMIT;
SET binlog_transaction_compression = OFF; SET gtid_next = 'AUTOMATIC:shop_tag'; DELETE FROM orders WHERE id = 60;
SET gtid_next = AUTOMATIC
"""


def statements(name: str, loaded: Path) -> Iterator[str]:
    """Yield the statements that a golden file holds."""
    yield from (_TABLES, _ROWS, _XA, _STATEMENTS)
    if name != "mysql97":  # MySQL allows none of these with GTIDs
        yield _WITHOUT_GTIDS
        yield _LOADED.format(loaded)
    if name.startswith("mariadb"):
        yield _MARIADB
    else:
        yield _MYSQL
    if name == "mysql97":
        yield "CREATE TABLE packed_too (id INT PRIMARY KEY)"
        yield _MYSQL9
    yield "FLUSH LOGS"


def generate(name: str) -> None:
    """Make the golden file of a server."""
    server = SERVERS[name](shared=False, settings=SETTINGS.get(name))
    try:
        connection = connect(server.url())
        [[data]] = run(connection, "SELECT @@datadir")
        loaded = Path(data) / "loaded.txt"
        loaded.write_text("loaded\n")
        run(connection, "SET timestamp = 1764500000.123456; FLUSH LOGS")
        for statement in statements(name, loaded):
            for one in statement.split(";"):
                run(connection, one)
        file = "binlog.000002"
        rows: list[tuple[Any, ...]] = run(connection, f"SHOW BINLOG EVENTS IN '{file}'")
        said = [[position, kind, end, info] for _, position, kind, _, end, info in rows]
        (HERE / f"{name}.binlog").write_bytes((Path(data) / file).read_bytes())
        (HERE / f"{name}.json").write_text("[\n" + ",\n".join(map(json.dumps, said)) + "\n]\n")
    finally:
        server.stop()


if __name__ == "__main__":
    for each in sys.argv[1:] or SERVERS:
        generate(each)
