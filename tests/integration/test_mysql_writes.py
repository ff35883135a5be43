"""What the catalog of MariaDB and MySQL says of deleting and updating rows, what it hides, and what is refused."""

from __future__ import annotations

import traceback

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import BusyError, ConfigurationError, SourceError
from airflow_legacy_events.databases.mysql import MysqlDatabase
from tests.services.mariadb import MariaDB
from tests.services.mysql import MySQL
from tests.services.mysql9 import MySQL9
from tests.support.engines import of
from tests.support.legacy import legacy_database
from tests.support.mysql import User
from tests.support.profile import LONG

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}
SECRET = "Ada.Lovelace"
ID = sa.column("id")
T = sa.table("t", ID, sa.column("body"))
FOLDED = {"lower-case-table-names": "1"}
NOTHING = sa.delete(T).where(sa.text("1 = 0"))
# A new MySQL 5.6 lets everybody do everything in databases whose names begin with test_.
WITH_RIGHTS = tuple(name for name in of("mysql", also=("mariadb-10.11",)) if name != "mysql-5.6")


@pytest.fixture(params=of("mysql", also=("mysql-5.6",)))
def legacy(request):
    with legacy_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id bigint AUTO_INCREMENT PRIMARY KEY, body varchar(40) UNIQUE) ENGINE = InnoDB")
        yield found


@pytest.fixture
def databases(legacy):
    made = []

    def make(**url):
        made.append(legacy.database(**url))
        return made[-1]

    yield make
    for database in made:
        database.close()


@pytest.fixture
def user(legacy):
    made = User(legacy)
    yield made
    made.drop()


@pytest.mark.parametrize("legacy", WITH_RIGHTS, indirect=True)
def test_what_is_hidden_from_a_user_is_told_with_the_grant_that_shows_it(legacy, databases, user):
    here = legacy.url.database
    legacy.execute("CREATE TABLE child (id int PRIMARY KEY, t_id bigint, FOREIGN KEY (t_id) REFERENCES t (id))")
    legacy.execute("CREATE TRIGGER seen AFTER DELETE ON t FOR EACH ROW SET @seen = 1")
    user.grant(f"SELECT, DELETE ON {here}.t")
    hidden = databases(username=user.name).writes("t")
    grants = [text.partition("; ")[2] for text in hidden.unknown]
    assert hidden.references == ()
    assert all(text.startswith("GRANT ") for text in grants)
    for text in grants:
        user.grant(text.removeprefix("GRANT ").partition(" TO ")[0])
    shown = databases(username=user.name).writes("t")
    assert shown.unknown == ()
    assert len(shown.references) == len(shown.effects) == 1
    assert databases().writes("t").unknown == ()


def test_columns_that_an_update_sets_are_told(legacy, databases):
    changed = "changed datetime(3) ON UPDATE CURRENT_TIMESTAMP(3)"
    legacy.execute(f"CREATE TABLE u (id int PRIMARY KEY, {changed}, made datetime(3))")
    assert databases().writes("u").set_on_update == ("changed",)


def test_ids_return_where_the_server_forgets_the_highest_one(legacy, databases):
    found = databases().writes("t").ids_return
    if legacy.engine.name == "mysql-5.6":
        assert found.startswith("a restart of this release sets AUTO_INCREMENT of id to the highest one left")
    else:
        assert found is None
    legacy.execute("CREATE TABLE own (id bigint PRIMARY KEY)")
    assert databases().writes("own").ids_return is None


def test_an_engine_without_transactions_is_told(legacy, databases):
    legacy.execute("CREATE TABLE m (id int PRIMARY KEY) ENGINE = MyISAM")
    found = databases().writes("m")
    assert found.effects == found.update_effects == ("engine MyISAM has no transactions: nothing is rolled back",)


@pytest.mark.parametrize("legacy", of("mysql", also=("mariadb-10.11",))[-1:], indirect=True)
def test_what_only_mariadb_has_is_told(legacy, databases):
    legacy.execute("CREATE TABLE v (id int PRIMARY KEY) WITH SYSTEM VERSIONING")
    kept = ("system versioning keeps every row as it was before, even a deleted one",)
    assert (databases().writes("v").effects, databases().writes("v").update_effects) == (kept, kept)
    legacy.execute("CREATE SEQUENCE numbers")
    with pytest.raises(ConfigurationError, match="table='numbers' is a sequence, and rows are deleted or marked"):
        databases().writes("numbers")


def test_a_server_that_logs_statements_is_written_all_the_same(legacy, databases):
    legacy.begin_with(binlog_format="'STATEMENT'")
    legacy.execute("INSERT INTO t (body) VALUES ('1'), ('2')")
    assert databases().refusal(sa.delete(T)) is None
    with databases().lock("s", HOLDER) as lease:
        assert [lease.execute([sa.delete(T).where(number == ID)])[0].number for number in (1, 2)] == [1, 1]


def test_the_lock_of_a_table_is_one_whichever_database_a_connection_is_in(legacy, databases):
    database, elsewhere = databases(), databases(database="information_schema")
    name = elsewhere.writes(f"{legacy.url.database}.t").name
    assert name == database.writes("t").name == f"{legacy.url.database}.t"
    with (
        database.lock("one", HOLDER, table=name),
        pytest.raises(BusyError, match="stream 'two' is being worked on by dag 'd'"),
        elsewhere.lock("two", {**HOLDER, "run": "r2"}, table=name),
    ):
        pass


def test_rows_that_came_and_went_are_counted_where_the_server_counts_them(legacy, databases):
    legacy.execute("INSERT INTO t (body) VALUES ('1'), ('2'), ('3')")
    legacy.execute("DELETE FROM t WHERE body = '1'")
    assert databases().writes("t").churn == ((3, 1) if legacy.engine.name == "mysql-9.7" else None)


@pytest.mark.parametrize("legacy", WITH_RIGHTS, indirect=True)
def test_a_missing_right_is_the_reason_of_a_refusal(legacy, databases, user):
    user.grant(f"SELECT ON {legacy.url.database}.t")
    refused = databases(username=user.name).refusal(NOTHING)
    assert refused.startswith(f"DELETE command denied to user '{user.name}'@'")
    assert "(error 1142)" in refused
    assert f"\nGRANT DELETE ON `{legacy.url.database}`.`t` TO '{user.name}'@'" in refused
    user.grant(f"DELETE ON {legacy.url.database}.t")
    assert databases(username=user.name).refusal(NOTHING) is None


def test_a_lock_on_the_table_is_an_error_and_no_refusal(legacy, databases):
    legacy.url = legacy.url.update_query_dict({"init_command": "SET SESSION lock_wait_timeout = 1"})
    with legacy.connect() as other:
        other.execute("LOCK TABLES t WRITE")
        with pytest.raises(SourceError, match="connection 'crm' failed while checking whether rows may be written"):
            databases().refusal(NOTHING)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE t SET body = (SELECT body FROM (SELECT body FROM t WHERE id = 1) x) WHERE id = 2", "error 1062"),
        (f"UPDATE t SET id = '{SECRET}'", r"error (1366|1292)"),
        ("DELETE FROM t WHERE id = 3", r"a trigger or procedure raised an exception \(error 1644\)"),
        ("DELETE FROM t WHERE id = 4", r"a trigger or procedure raised an exception \(error 30001\)"),
    ],
)
def test_an_error_holds_no_value_of_a_row(legacy, databases, statement, said):
    legacy.begin_with(sql_mode="'STRICT_ALL_TABLES'")
    legacy.execute(f"INSERT INTO t VALUES (1, '{SECRET}'), (2, 'x'), (3, '{SECRET}3'), (4, '{SECRET}4')")
    legacy.execute(
        "CREATE TRIGGER complain BEFORE DELETE ON t FOR EACH ROW IF old.id = 3 THEN"
        " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = old.body; ELSE"
        " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = old.body, MYSQL_ERRNO = 30001; END IF"
    )
    with databases().lock("s", HOLDER) as lease, pytest.raises(SourceError, match=said) as failed:
        lease.execute([sa.text(statement)])
    assert SECRET not in "".join(traceback.format_exception(failed.value))


def test_rows_read_under_a_lock_have_the_form_of_reads(legacy, databases):
    columns = "id int PRIMARY KEY, at timestamp with time zone, y year, b bit(12), f float, z blob"
    legacy.execute("SET time_zone = '+00:00'")
    legacy.execute(f"CREATE TABLE typed ({columns})")
    legacy.execute("INSERT INTO typed VALUES (1, '2026-01-01 00:00:00.5', 2026, b'101', 0.1, 'z')")
    database = databases()
    names = [one.name for one in database.reflect("typed", None).columns]
    query = sa.select(*map(sa.column, names)).select_from(sa.table("typed"))
    with database.lock("s", HOLDER) as lease:
        [answer] = lease.execute([query])
    assert answer.rows == database.read(query)
    assert answer.rows[0][1:4] == ("2026-01-01 00:00:00.500000+00", "2026", "000000000101")


@pytest.mark.parametrize(
    "change",
    [
        lambda database: sa.delete(T).where(database.among([ID], [[number] for number in range(1, 101)])),
        lambda _: sa.delete(T).where(ID.between(1, 1_000)),
        lambda _: sa.update(T).where(ID.between(1, 1_000)).values(body=sa.func.concat(sa.column("body"), "!")),
    ],
    ids=["delete rows", "delete a range", "mark a range"],
)
def test_writers_insert_while_rows_are_deleted_or_marked(legacy, databases, change):
    for number in range(1, 101):
        legacy.execute(f"INSERT INTO t VALUES ({number}, 'b{number}')")
    database = databases()

    def insert(_):
        with legacy.connect() as other:
            other.execute("SET innodb_lock_wait_timeout = 1")
            other.execute("INSERT INTO t (body) VALUES ('a new one')")

    with database.lock("s", HOLDER) as lease:
        [changed, _] = lease.execute([change(database), insert])
    assert changed.number == 100
    assert legacy.execute("SELECT id FROM t WHERE body = 'a new one'") == [(101,)]


@pytest.mark.parametrize("made", [MariaDB, MySQL, MySQL9] if LONG else [MariaDB])
def test_a_replica_names_its_source_and_a_server_that_is_read_only_is_told(made, monkeypatch):
    monkeypatch.delenv(made.variable, raising=False)
    monkeypatch.setattr(made, "settings", {**made.settings, **(FOLDED if made is MariaDB else {})})
    server = made()
    database = MysqlDatabase(sa.make_url(server.url("mysql")), conn_id="crm", statement_timeout_seconds=30)
    try:
        assert database.writes("time_zone").elsewhere is None
        if made is MariaDB:
            assert database.writes("MySQL.Time_Zone").name == database.writes("time_zone").name == "mysql.time_zone"
        server.execute("SET GLOBAL read_only = ON")
        assert database.writes("time_zone").elsewhere == "this server has read_only = ON"
        new = made is MySQL9
        words = ("REPLICATION SOURCE", "SOURCE") if new else ("MASTER", "MASTER")
        server.execute(f"CHANGE {words[0]} TO {words[1]}_HOST = '127.0.0.1', {words[1]}_PORT = 1")
        assert database.writes("time_zone").elsewhere == "this server is a replica, its source is 127.0.0.1:1"
    finally:
        database.close()
        server.stop()
