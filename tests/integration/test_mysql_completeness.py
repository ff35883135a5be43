"""How complete a stream of MariaDB or MySQL is, why, and the statement that would make it more so."""

from __future__ import annotations

import contextlib

import pytest

from airflow_legacy_events.core.ports import Written
from tests.support.engines import of
from tests.support.legacy import legacy_database
from tests.support.mysql import User
from tests.support.writers import writers_of

EVERY = of("mysql", also=("mariadb-10.11", "mysql-5.6"))
NOW = "CURRENT_TIMESTAMP"
PARENT = "CREATE TABLE p (id int PRIMARY KEY) ENGINE=InnoDB"
CHILD = (
    "CREATE TABLE t (id int PRIMARY KEY, p int NULL, c TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,{} ) ENGINE=InnoDB"
)
KEY = " FOREIGN KEY (p) REFERENCES p (id)"
CASES = {
    "auto_increment": (
        "c int AUTO_INCREMENT PRIMARY KEY",
        "bounded",
        "itself; ids that were taken before",
    ),
    "given ids": (
        "c int PRIMARY KEY",
        "best_effort",
        "\nALTER TABLE `{db}`.`t` MODIFY `c` bigint NOT NULL",
    ),
    "texts": ("c varchar(9) PRIMARY KEY", "best_effort", "no AUTO_INCREMENT gives the values of column 'c'"),
    "default": (f"c TIMESTAMP NOT NULL DEFAULT {NOW}", "bounded", "leaves column 'c' to its default"),
    "on update": (f"c TIMESTAMP NULL DEFAULT NULL ON UPDATE {NOW}", "bounded", "leaves column 'c' to its ON UPDATE"),
    "datetime": (
        f"c DATETIME(3) NULL DEFAULT {NOW}(3)",
        "bounded",
        "one session zone, UTC\nALTER TABLE `{db}`.`t` MODIFY `c` TIMESTAMP(3)",
    ),
    "no clock": ("c DATETIME NULL", "best_effort", "\nALTER TABLE `{db}`.`t` MODIFY `c` TIMESTAMP"),
}


@pytest.fixture(params=EVERY)
def legacy(request):
    with legacy_database(request, request.param) as found:
        yield found


@contextlib.contextmanager
def judged(legacy, table="t", **url):
    with contextlib.closing(legacy.database(**url)) as database:
        yield writers_of(database, "c", table)


@pytest.mark.parametrize("case", CASES)
def test_what_gives_the_values(legacy, case):
    column, level, reason = CASES[case]
    legacy.execute(f"CREATE TABLE t (v int, {column}) ENGINE=InnoDB")
    with judged(legacy) as found:
        assert found.completeness == level
        assert reason.format(db=legacy.url.database) in found.reason


@pytest.mark.parametrize(
    ("rules", "level"),
    [
        ("", "bounded"),
        (" ON DELETE CASCADE", "bounded"),
        (" ON UPDATE CASCADE", "best_effort"),
        (" ON DELETE SET NULL", "best_effort"),
    ],
)
def test_a_foreign_key_that_changes_rows_below_the_clock(legacy, request, rules, level):
    legacy.execute(PARENT)
    legacy.execute(CHILD.format(KEY + rules))
    user = User(legacy)
    request.addfinalizer(user.drop)
    user.grant(f"SELECT ON {legacy.url.database}.t")  # MariaDB's catalog hides foreign keys from such a login
    user.grant("PROCESS ON *.*")
    for url in ({}, {"username": user.name}):
        with judged(legacy, **url) as found:
            assert found.completeness == level
            assert ("DROP FOREIGN KEY" in found.reason) == (level == "best_effort")


def test_a_trigger_that_gives_the_time_in_whole_seconds(legacy):
    legacy.execute("CREATE TABLE t (id int PRIMARY KEY, c DATETIME(6)) ENGINE=InnoDB")
    legacy.execute("CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.c = NOW()")
    with judged(legacy) as found:
        assert (found.completeness, found.tick.total_seconds()) == ("bounded", 1)
    legacy.execute("DROP TRIGGER tr")
    legacy.execute("CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.c = NEW.c + INTERVAL 1 DAY")
    with judged(legacy) as found:
        assert (found.completeness, found.tick.microseconds) == ("best_effort", 1)


def test_a_sequence(legacy):
    if not legacy.engine.name.startswith("mariadb"):
        with pytest.raises(Exception, match="syntax"):
            legacy.execute("CREATE SEQUENCE s")
        return
    for options, wrong in (
        ("", "NOCACHE"),
        ("NOCACHE", ""),
        ("NOCACHE INCREMENT 2", "INCREMENT BY 1"),
        ("NOCACHE CYCLE", "NOCYCLE"),
    ):
        legacy.execute(f"CREATE OR REPLACE SEQUENCE s {options}")
        legacy.execute("CREATE OR REPLACE TABLE t (c bigint PRIMARY KEY DEFAULT NEXTVAL(s)) ENGINE=InnoDB")
        with judged(legacy) as found:
            assert found.completeness == ("best_effort" if wrong else "bounded")
            assert wrong in found.reason.splitlines()[-1]


def test_a_view_and_an_engine_whose_transactions_are_not_listed(legacy):
    legacy.execute("CREATE TABLE t (c int AUTO_INCREMENT PRIMARY KEY) ENGINE=MyISAM")
    legacy.execute("CREATE VIEW v AS SELECT c FROM t")
    with judged(legacy) as found:
        assert found.completeness == "bounded"
    with judged(legacy, "v") as found:
        assert (found.completeness, "table=" in found.reason) == ("best_effort", True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"increment": 2}, "SET GLOBAL auto_increment_increment = 1"),
        ({"replica": "this server is a replica"}, "Read from the primary"),
        ({"several": "group replication with several primaries"}, "Stream the change log"),
        ({"engine": "ROCKSDB"}, "ENGINE=InnoDB"),
    ],
)
@pytest.mark.parametrize("legacy", ["mariadb-11.8"], indirect=True)
def test_what_servers_of_tests_are_not(legacy, changed, said):
    legacy.execute("CREATE TABLE t (c int AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB")
    with contextlib.closing(legacy.database()) as database:
        found = database.reflect("t", None)
        state = found.state._replace(writing=found.state.writing._replace(**changed))
        writers = database.writers(Written("t", found.columns[0], "UTC", state))
        assert writers.completeness == "best_effort"
        assert said in writers.reason.splitlines()[-1]
