"""Values that servers store in further forms: long ones, many labels, compressed columns, formats of older releases."""

from __future__ import annotations

import random

import pytest

from tests.services.mysql_family import connect, run
from tests.support.binlog_rows import differences, logged_table
from tests.support.binlog_servers import binlog_server
from tests.support.binlogs import BINLOGGED, SERVERS, SHORT
from tests.support.databases import fresh_database
from tests.support.profile import LONG

MARIADB = [name for name in BINLOGGED if name.startswith("mariadb")]
MOMENTS = ("0000-00-00 00:00:00", "2026-11-23 09:15:02.123456", "1970-01-01 00:00:01", "2037-12-31 23:59:59.999999")
TIMES = ("-838:59:59", "838:59:58.999999", "-00:00:00.5", "00:00:00", "-01:02:03.999999", "24:00:00")


@pytest.fixture(params=BINLOGGED)
def database(request):
    with fresh_database(request.getfixturevalue(SERVERS[request.param])) as found:
        yield found


@pytest.fixture
def legacy(database):
    connection = connect(database.url)
    run(connection, "SET sql_mode = '', time_zone = '+00:00'")
    yield connection
    connection.close()


def compared(url: str, connection, columns: list[str], rows: list[tuple], mark: str = "%s") -> list[tuple]:
    """Compare rows of these columns; return them."""
    run(connection, "DROP TABLE IF EXISTS t")
    named = ", ".join(f"c{at} {type_}" for at, type_ in enumerate(columns))
    run(connection, f"CREATE TABLE t (id int PRIMARY KEY, {named})")
    with logged_table(url) as table:
        for number, row in enumerate(rows):
            run(connection, f"INSERT INTO t VALUES ({number}, {', '.join([mark] * len(row))})", *row)
        wanted = table.read()
        for metadata in (True, False):
            assert not differences(table.logged(metadata=metadata), wanted, ["id", *columns])
    return [row[1:] for row in wanted]


def test_many_labels_and_long_texts(legacy, database):
    labels = [f"label {at}" for at in range(300)]
    listed = ", ".join(f"'{label}'" for label in labels)
    counts = (1, 8, 9, 16, 17, 24, 25, 32, 33, 64)
    sets = [f"set({', '.join(repr(f'm{at}') for at in range(count))})" for count in counts]
    columns = [f"enum({listed})", *sets, "char(255)", "varchar(5000)", "char(64)", "binary(255)", "varbinary(300)"]
    last = [f"m{count - 1}" for count in counts]
    rows = [
        (labels[299], *last, "\U0001f600" * 255, "ä" * 5_000, "x", b"\xff" * 255, b"\0" * 300),
        (labels[0], *["m0"] * 10, "", "", "  ", b"", b""),
        (labels[255], *[""] * 10, "a ", "a ", "x" * 64, b"\0a\0", b" "),
    ]
    found = compared(database.url, legacy, columns, rows)
    assert found[0][:3] == ("label 299", "m0", "m7")


def test_old_and_new_images_of_updates_and_deletes(legacy, database):
    run(legacy, "CREATE TABLE t (id int PRIMARY KEY, a int, b text, c decimal(9,2))")
    with logged_table(database.url) as table:
        run(legacy, "INSERT INTO t VALUES (1, 1, 'x', 1.5), (2, NULL, NULL, NULL), (3, 3, 'z', -1)")
        run(legacy, "UPDATE t SET a = NULL, b = 'ä', c = 0 WHERE id < 3")
        run(legacy, "DELETE FROM t WHERE id > 1")
        found = [(event.op, event.whole) for _, event in table.events()]
        rows = table.logged(metadata=False)
    assert found == [("c", True), ("u", True), ("d", True)]
    assert rows == [
        ("1", "1", "x", "1.50"),
        ("2", None, None, None),
        ("3", "3", "z", "-1.00"),
        ("1", "1", "x", "1.50"),
        ("1", None, "ä", "0.00"),
        ("2", None, None, None),
        ("2", None, "ä", "0.00"),
        ("2", None, "ä", "0.00"),
        ("3", "3", "z", "-1.00"),
    ]


def test_numbers_with_scales_and_filled_with_zeros(legacy, database):
    columns = [
        *("float(7,2)", "float unsigned", "float(9,3) zerofill", "double(12,3) zerofill", "double(30,0)", "double"),
        *("double(53,30)", "int(5) zerofill", "boolean", "decimal(9,9)", "decimal(65,0)", "decimal(18,9)", "bit(1)"),
    ]
    rows = [
        (1.239, 0.1, 1.5, 1.2345, 123456789, 0.1, 0.1, 7, 1, "0.000000001", "9" * 65, "999999999.999999999", 1),
        (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        (-99999.99, 3e38, 999999.999, 999999999.999, -1e29, 1e-5, "1e-30", 99999, 127, "-.5", -1, "-1.5", 0),
        (1e-9, 1e-38, 0.0005, 0.0005, 0.4, 123456789012345678, 2 / 3, 1, -128, "0.9", 1, "0.000000001", 1),
    ]
    compared(database.url, legacy, columns, rows)


@pytest.mark.parametrize("database", SHORT, indirect=True)  # 5.6 has none, MariaDB 11.8 leaves them out of some images
@pytest.mark.parametrize("engine", ["MyISAM", "InnoDB"])
def test_columns_that_are_computed(legacy, database, engine):
    run(
        legacy,
        "CREATE TABLE t (id int PRIMARY KEY, a char(9), v varchar(20) AS (concat(a, '-', id)) VIRTUAL,"
        f" s int AS (id + 1) STORED, e enum('x','y'), b binary(4)) ENGINE = {engine}",
    )
    with logged_table(database.url) as table:
        run(legacy, "INSERT INTO t (id, a, e, b) VALUES (1, 'ä', 'y', 'b'), (2, 'x ', 'x', ''), (3, NULL, NULL, NULL)")
        first = table.read()
        run(legacy, "UPDATE t SET a = concat(a, '!')")
        found, wanted = table.logged(metadata=True), table.read()
    assert found[:3] == first
    assert found[4::2] == wanted[:2]


@pytest.mark.parametrize("database", MARIADB, indirect=True)
def test_addresses_of_all_forms(legacy, database):
    r = random.Random(7)
    groups = ["0", "0", "0", "1", "ffff", "a0", "102"]
    sixes = [":".join(r.choice(groups) for _ in range(8)) for _ in range(1_000 if LONG else 200)]
    sixes += ["::1.2.3.4", "::ffff:1.2.3.4", "::ffff:0:1.2.3.4", "::", "::1", "1::", "64:ff9b::1.2.3.4"]
    rows = [(one, f"{at % 256}.0.{at % 3}.0", one) for at, one in enumerate(sixes)]
    columns = ["inet6", "inet4", "varchar(50)"]
    compared(database.url, legacy, columns, rows)
    uuids = [(f"{r.getrandbits(128) & ~(0xF << 76) | version << 76:032x}",) for version in range(16) for _ in range(9)]
    compared(database.url, legacy, ["uuid"], [*uuids, ("0" * 32,), ("f" * 31 + "0",)])


@pytest.mark.parametrize("database", MARIADB, indirect=True)
def test_compressed_columns(legacy, database):
    columns = [
        "varchar(100) COMPRESSED",
        "text COMPRESSED",
        "mediumblob COMPRESSED",
        "varbinary(1000) COMPRESSED",
        "longtext COMPRESSED CHARACTER SET sjis",
        "varchar(200) COMPRESSED CHARACTER SET latin1",
        "tinytext COMPRESSED",
    ]
    rows = [
        ("a" * 100, "ä" * 9_000, b"\xff\0" * 70_000, b"b" * 1_000, "表" * 500, "€" * 200, "x" * 255),
        ("", "", b"", b"", "", "", ""),
        ("x", "y", b"\x88", b"\0", "能", "ÿ", "short"),
        (None, None, None, None, None, None, None),
    ]
    for wrap in (0, 1):
        run(legacy, f"SET column_compression_zlib_wrap = {wrap}")
        compared(database.url, legacy, columns, rows)


@pytest.mark.parametrize("name", [SERVERS[one] for one in MARIADB])
def test_times_in_the_format_of_older_releases(name):
    columns = [f"{type_}({digits})" for digits in range(7) for type_ in ("datetime", "time")]
    columns += [f"timestamp({digits}) NULL" for digits in range(7)]
    rows = [
        tuple(time if "time(" in type_ and "date" not in type_ else moment for type_ in columns)
        for moment, time in zip([*MOMENTS, "2026-00-17 09:15:02.5", "9999-12-31 23:59:59"], TIMES, strict=True)
    ]
    with binlog_server(name, mysql56_temporal_format="0") as server, fresh_database(server) as database:
        connection = connect(database.url)
        run(connection, "SET sql_mode = '', time_zone = '+00:00'")
        found = compared(database.url, connection, columns, [*rows, (None,) * len(columns)])
        assert found[1][columns.index("time(6)")] == "838:59:58.999999"
        [(_, created)] = run(connection, "SHOW CREATE TABLE t")
        assert "mariadb-5.3" in created
        connection.close()
