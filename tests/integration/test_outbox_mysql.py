"""Triggers for an outbox on MariaDB and MySQL: values, foreign keys, rights."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.services.base import wait_until
from tests.support.engines import of
from tests.support.outbox_commands import application_on

WITH_JSON = tuple(name for name in of("mysql", also=["mariadb-10.11"]) if name != "mysql-5.6")


@pytest.fixture(params=[name for name in of("mysql") if name in WITH_JSON])
def application(request, capsys):
    with application_on(request, capsys, request.param) as found:
        found.make_outbox()
        yield found


VALUES = {
    "big": ("bigint unsigned", "18446744073709551615", 18446744073709551615),
    "filled": ("int(5) zerofill", "7", 7),
    "n": ("decimal(40, 10)", "123456789012345678901234567890.0123456789", "123456789012345678901234567890.0123456789"),
    "d": ("double", "0.1e0 + 0.2e0", 0.30000000000000004),
    "f": ("float", "0.1", 0.10000000149011612),
    "bits": ("bit(10)", "b'1100000001'", 769),
    "all_bits": ("bit(64)", "b'" + "1" * 64 + "'", 2**64 - 1),
    "vb": ("varbinary(20)", "0x00ff10", "AP8Q"),
    "bin": ("binary(4)", "0x41", "QQAAAA=="),
    "b": ("longblob", "repeat('long', 50)", "bG9uZ2xvbmdsb25n" * 16 + "bG9uZ2xvbmc="),
    "at": ("timestamp(3) NULL", "'2026-03-29 03:30:00.123'", "2026-03-29T01:30:00.123000Z"),
    "local": ("datetime(6)", "'2026-03-29 02:30:00.5'", "2026-03-29T02:30:00.500000"),
    "day": ("date", "'2026-02-28'", "2026-02-28"),
    "tm": ("time(2)", "'-120:00:01.5'", "-120:00:01.50"),
    "y": ("year", "2026", 2026),
    "mood": ("enum('ä', 'b')", "'ä'", "ä"),
    "flags": ("set('x', 'y')", "'x,y'", "x,y"),
    "latin": ("varchar(20) CHARACTER SET latin1", "'äé'", "äé"),
    "cyrillic": ("varchar(20) CHARACTER SET cp1251", "'жук'", "жук"),
    "c": ("char(5)", "'ab'", "ab"),
    "doc": ("json", """'{"b" : 1.5, "a":["ü"]}'""", {"b": 1.5, "a": ["ü"]}),
    "spot": ("point", "POINT(1, 2)", "AQEAAAAAAAAAAADwPwAAAAAAAABA"),
    "made": ("int GENERATED ALWAYS AS (id * 2) VIRTUAL", "DEFAULT", 2),
    "nothing": ("text", "NULL", None),
}


@pytest.mark.parametrize("application", WITH_JSON, indirect=True)
def test_values_are_exact_whatever_the_session_shows(application):
    columns = ", ".join(f"`{name}` {type_}" for name, (type_, *_) in VALUES.items())
    application.run(f"CREATE TABLE t (id int PRIMARY KEY, {columns})")
    application.install("t", ",".join(VALUES))
    application.run("SET time_zone = '+02:00', NAMES latin1")
    application.run("SET NAMES utf8mb4 COLLATE utf8mb4_bin")
    application.run(f"INSERT INTO t VALUES (1, {', '.join(text for _, text, _ in VALUES.values())})")

    [(type_, key, found)] = application.events()
    assert (type_, key, found) == ("created", "1", {name: value for name, (*_, value) in VALUES.items()})
    assert application.check("t", ",".join(VALUES))[0] == ""


def test_dates_that_no_calendar_has_are_the_text_of_the_database(application):
    application.run("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'")
    application.run("CREATE TABLE t (id int PRIMARY KEY, at timestamp NULL, local datetime, day date)")
    application.install("t", "at,local,day")
    application.run("INSERT INTO t VALUES (1, '0000-00-00', '0000-00-00', '0000-00-00'), (2, NULL, '2026-11-00', NULL)")
    assert [found for *_, found in application.events()] == [
        {"at": "0000-00-00T00:00:00", "local": "0000-00-00T00:00:00", "day": "0000-00-00"},
        {"at": None, "local": "2026-11-00T00:00:00", "day": None},
    ]


@pytest.mark.parametrize("mode", ["", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,STRICT_ALL_TABLES"])
def test_the_sql_means_the_same_in_every_mode_of_the_session_that_runs_it(application, mode):
    application.run("CREATE TABLE t (id int PRIMARY KEY, `a\\b'c` text)")
    application.run(f"SET SESSION sql_mode = '{mode}'")
    application.install("t", "a\\b'c")
    assert application.check("t", "a\\b'c")[0] == ""
    application.run("INSERT INTO t VALUES (1, 'x')")
    assert application.events() == [("created", "1", {"a\\b'c": "x"})]


def test_json_of_mariadb_keeps_its_digits_and_blanks(request, capsys):
    with application_on(request, capsys, "mariadb-11.8") as application:
        application.make_outbox()
        application.run("CREATE TABLE t (id int PRIMARY KEY, doc json)")
        application.install("t", "doc")
        application.run("""INSERT INTO t VALUES (1, '{"b" : 1.10,  "a":[1]}')""")
        assert application.run("SELECT payload FROM outbox") == [('{"doc": {"b" : 1.10,  "a":[1]}}',)]


@pytest.mark.parametrize(
    ("type_", "value", "key"),
    [
        ("timestamp(3)", "'2026-03-29 03:30:00.123'", "2026-03-29T01:30:00.123000Z"),
        ("varbinary(9)", "0x00ff10", "AP8Q"),
        ("decimal(9, 2)", "1.5", "1.50"),
        ("bit(4)", "b'0101'", "5"),
        ("double", "1e300", "1e300"),
        ("varchar(9) CHARACTER SET latin1", "'ä'", "ä"),
    ],
)
def test_keys_of_any_type_are_their_text(application, type_, value, key):
    application.run(f"CREATE TABLE t (k {type_} NOT NULL, n int NOT NULL, v int, PRIMARY KEY (k, n))")
    application.install("t", "v", "--key", "k")
    application.run("SET time_zone = '+02:00'")
    application.run(f"INSERT INTO t VALUES ({value}, 1, 1)")
    application.run("UPDATE t SET v = 2")
    assert [(type_, found) for type_, found, _ in application.events()] == [("created", key), ("updated", key)]

    application.install("t", "v")
    application.run("UPDATE t SET v = 3")
    assert json.loads(application.events()[-1][1]) == [key, "1"]


def test_several_rows_and_replaced_ones_are_one_event_each(application):
    application.run("CREATE TABLE t (id int PRIMARY KEY, v int)")
    application.install("t", "v")
    application.run("INSERT INTO t VALUES (1, 1), (2, 2)")
    application.run("REPLACE INTO t VALUES (1, 5)")
    application.run("INSERT INTO t VALUES (2, 0) ON DUPLICATE KEY UPDATE v = 7")
    assert application.events()[2:] == [
        ("deleted", "1", {"v": 1}),
        ("created", "1", {"v": 5}),
        ("updated", "2", {"v": 7}),
    ]


def test_the_application_reads_the_id_of_its_own_row(application):
    application.run("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, v int) AUTO_INCREMENT = 500")
    application.install("t", "v")
    application.run("INSERT INTO t (v) VALUES (1)")
    assert application.run("SELECT LAST_INSERT_ID()") == [(500,)]


@pytest.mark.parametrize("rule", ["ON DELETE CASCADE", "ON DELETE SET NULL", "ON UPDATE CASCADE"])
def test_a_child_of_a_cascading_foreign_key_is_refused_by_its_name(application, rule):
    application.run("CREATE TABLE owner (id int PRIMARY KEY)")
    application.run(
        "CREATE TABLE child (id int PRIMARY KEY, p int,"
        f" CONSTRAINT to_owner FOREIGN KEY (p) REFERENCES owner (id) {rule})"
    )
    with pytest.raises(SystemExit, match="which fires no trigger here: to_owner to owner"):
        application.trigger("child", "p")
    application.trigger("owner", "id")
    application.run("DROP TABLE child")


def test_a_child_whose_foreign_key_only_restricts_is_served(application):
    application.run("CREATE TABLE owner (id int PRIMARY KEY)")
    application.run("CREATE TABLE child (id int PRIMARY KEY, p int, FOREIGN KEY (p) REFERENCES owner (id))")
    application.install("child", "p")
    application.run("INSERT INTO owner VALUES (1)")
    application.run("INSERT INTO child VALUES (1, 1)")
    assert application.events() == [("created", "1", {"p": 1})]
    application.run("DROP TABLE child")


def test_an_account_without_rights_on_the_outbox_writes_its_own_table(application):
    application.run("CREATE TABLE t (id int PRIMARY KEY, v int)")
    application.install("t", "v")
    name = application.legacy.url.database
    application.run(
        f"CREATE USER {name}@'%' IDENTIFIED BY 'Secret-1'; CREATE USER {name}@localhost IDENTIFIED BY 'Secret-1'"
    )
    try:
        for host in ("'%'", "localhost"):
            application.run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name}.t TO {name}@{host}")
        with application.connected_as(name, "Secret-1"):
            assert "CREATE TRIGGER" in application.trigger("t", "v")
            assert "this user may not see it" in application.check("t", "v")[1]
        clerk = application.connect(username=name, password="Secret-1")
        with pytest.raises(Exception, match="denied"):
            application.run("SELECT * FROM outbox", connection=clerk)
        for statement in ("INSERT INTO t VALUES (1, 1)", "UPDATE t SET id = 2", "DELETE FROM t"):
            application.run(statement, connection=clerk)
        clerk.close()
    finally:
        application.run(f"DROP USER {name}@'%'; DROP USER {name}@localhost")
    assert [type_ for type_, *_ in application.events()] == ["created", "deleted", "created", "deleted"]


def test_writers_do_not_wait_for_the_counter_of_ids(request, capsys):
    with application_on(request, capsys, "mariadb-11.8") as application, ThreadPoolExecutor() as threads:
        application.make_outbox()
        application.run("CREATE TABLE t (id int PRIMARY KEY, v int)")
        application.install("t", "v")
        application.run("INSERT INTO t VALUES (1, 1), (2, 1), (3, 1)")
        other = application.connect()
        waits = re.compile(rf"LOCK WAIT .*\n.*thread id {other.thread_id()},")
        application.run("BEGIN")
        application.run("UPDATE t SET v = 2 WHERE id = 2")
        updated = threads.submit(application.run, "UPDATE t SET v = 5", connection=other)  # one event, then it waits
        wait_until(lambda: waits.search(application.run("SHOW ENGINE INNODB STATUS")[0][2]), "the wait for row 2")
        application.run("UPDATE t SET v = 3 WHERE id = 3")
        application.run("COMMIT")
        updated.result()
        other.close()
        assert len(application.events()) == 3 + 2 + 3


@pytest.mark.parametrize("options", [["--always"], ["--notify", "news"]])
def test_what_only_postgresql_has_is_refused(application, options):
    application.run("CREATE TABLE t (id int PRIMARY KEY)")
    with pytest.raises(SystemExit, match=f"{options[0]} is for PostgreSQL only"):
        application.trigger("t", "id", *options)


def test_an_engine_without_rollback_is_named(application):
    application.run("CREATE TABLE t (id int PRIMARY KEY) ENGINE = MyISAM")
    assert "-- The engine of the table is MyISAM" in application.trigger("t", "id")


def test_a_server_without_functions_for_json_is_refused(request, capsys):
    with application_on(request, capsys, "mysql-5.6") as application:
        application.run("CREATE TABLE t (id int PRIMARY KEY)")
        with pytest.raises(SystemExit, match=r"functions for JSON come with 5\.7\.8"):
            application.trigger("t", "id")
