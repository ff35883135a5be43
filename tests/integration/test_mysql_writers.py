"""Who may still commit below a mark in MariaDB and MySQL, with real sessions: too many may be named, never too few."""

from __future__ import annotations

import contextlib
from threading import Thread

import MySQLdb
import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import WatermarkError
from tests.support.engines import of
from tests.support.legacy import legacy_database
from tests.support.mysql import User
from tests.support.profile import LONG
from tests.support.writers import Mark, Writer, gate, mine, random_writers, reading_constantly, until, writers_of

HOLDER = {"dag": "d", "task": "t", "run": "r", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}
pytestmark = pytest.mark.whole_server
EVERY = of("mysql", also=("mariadb-10.11", "mysql-5.6"))
WHOLE = tuple(one for one in EVERY if one in ("mysql-9.7", "mariadb-10.11"))


@pytest.fixture
def legacy(request):
    with legacy_database(request, request.param) as found:
        found.execute(
            "CREATE TABLE t (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, v int,"
            " changed TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)) ENGINE=InnoDB"
        )
        found.execute("CREATE TABLE s (v int) ENGINE=InnoDB")
        found.execute("INSERT INTO s VALUES (1)")
        found.execute("INSERT INTO t (v) VALUES (0)")
        yield found
        with contextlib.suppress(MySQLdb.OperationalError):  # of a test that failed
            found.execute(f"XA ROLLBACK '{found.url.database}'")


@pytest.fixture
def database(legacy):
    made = legacy.database()
    yield made
    made.close()


@pytest.fixture
def sessions(legacy):
    made = []

    def make(**url):
        made.append(Writer(legacy, **url))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(params=["id", "changed"])
def writers(request, database):
    return writers_of(database, request.param)


def each(*names):
    return pytest.mark.parametrize("legacy", names or WHOLE, indirect=True)


@each(*EVERY)
def test_a_lower_value_over_three_looks(legacy, writers, sessions):
    writer = sessions()
    writer.run("BEGIN", "INSERT INTO t (v) VALUES (7)")
    mark = Mark(legacy, writers)
    assert mark.waits_for(writer)
    before = mark.below()
    writer.run("COMMIT")
    mark.drains(writer)
    assert len(mark.seen - before) == 1


@each()
def test_begun_but_unwritten_is_not_waited_for(legacy, writers, sessions):
    writer = sessions()
    writer.run("BEGIN", "SELECT * FROM t")
    mark = Mark(legacy, writers)
    assert not mine(mark.look, writer)
    mark.drains(writer)
    writer.run("INSERT INTO t (v) VALUES (7)", "COMMIT")
    assert mark.held()


@each()
def test_an_insert_select_before_its_first_row(legacy, writers, sessions):
    writer, name = sessions(), f"g{legacy.url.database}"
    with gate(legacy, name) as opened:
        writer.start(f"INSERT INTO t (v) SELECT GET_LOCK('{name}', 30)", shows="User lock")
        mark = Mark(legacy, writers)
        assert mark.waits_for(writer)
        opened()
    writer.end()
    mark.drains(writer)
    assert mark.held()


@each(*EVERY)
def test_a_writer_that_waits_for_a_metadata_lock(legacy, writers, sessions):
    writer, other = sessions(), sessions()
    other.run("LOCK TABLES s WRITE")
    writer.start("INSERT INTO t (v) SELECT v FROM s", shows="metadata lock")
    mark = Mark(legacy, writers)
    assert mark.waits_for(writer)
    before = mark.below()
    other.run("UNLOCK TABLES")
    writer.end()
    mark.drains(writer)
    assert len(mark.seen - before) == (mark.order != "id")  # its time is that of the statement's begin


@each()
def test_a_writer_that_waits_for_a_row_lock(legacy, writers, sessions):
    writer, other = sessions(), sessions()
    other.run("BEGIN", "UPDATE s SET v = 2")
    writer.start("INSERT INTO t (v) SELECT v FROM s LOCK IN SHARE MODE", shows="INSERT INTO t")
    mark = Mark(legacy, writers)
    assert mark.waits_for(writer)
    other.run("COMMIT")
    writer.end()
    mark.drains(writer, other)
    assert mark.held()


@each(*EVERY)
@pytest.mark.parametrize("as_function", [False, True], ids=["trigger", "function"])
@pytest.mark.parametrize("in_transaction", [False, True], ids=["autocommit", "transaction"])
def test_a_select_that_belongs_to_an_insert(legacy, writers, sessions, as_function, in_transaction):
    writer, name = sessions(), f"g{legacy.url.database}"
    body = f"BEGIN DECLARE z int; SELECT GET_LOCK('{name}', 30) INTO z FROM s LIMIT 1; {{}} END"
    if as_function:
        legacy.execute(f"CREATE FUNCTION f() RETURNS int NOT DETERMINISTIC READS SQL DATA {body.format('RETURN z;')}")
    else:
        legacy.execute(f"CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW {body.format('')}")
    with gate(legacy, name) as opened:
        if in_transaction:
            writer.run("BEGIN", "SELECT 1 FROM s")
        insert = f"INSERT INTO t (v) VALUES ({'f()' if as_function else '7'})"
        writer.start(insert, shows="User lock")
        assert writer.shown().startswith("Query User lock SELECT GET_LOCK")  # the inner statement
        mark = Mark(legacy, writers, beside=False)
        if mark.order == "changed":
            assert mark.waits_for(writer)
        elif legacy.engine.name in WHOLE:  # its id is taken later
            mark.drains(writer)
        mark.seen = mark.below()
        opened()
    writer.end()
    if in_transaction:
        writer.run("COMMIT")
    if mark.order == "id":
        assert mark.held()
    else:
        mark.drains(writer)
        assert len(mark.seen) == 2


@each()
@pytest.mark.parametrize("first", [False, True], ids=["beside rows", "before a first row is visible"])
def test_a_prepared_transaction(legacy, writers, sessions, first):
    writer, other, xid = sessions(), sessions(), f"'{legacy.url.database}'"
    if first:
        legacy.execute("DELETE FROM t")
    writer.run(f"XA START {xid}", "INSERT INTO t (v) VALUES (7)")
    number = writer.transaction
    writer.run(f"XA END {xid}", f"XA PREPARE {xid}")
    writer.close()
    mark = Mark(legacy, writers, beside=not first)
    [name] = [name for name in mark.look.open if name.endswith(f":{number}")]
    assert xid in mark.look.open[name].gid
    assert name in mark.remaining()
    assert name in mark.remaining()
    before = mark.below()
    other.run(f"XA COMMIT {xid}")
    mark.drains(other, names=[name])
    assert len(mark.seen - before) == (not first or mark.order != "id")


@each()
def test_a_session_that_prepares_after_the_look(legacy, writers, sessions):
    writer, name, xid = sessions(), f"g{legacy.url.database}", f"'{legacy.url.database}'"
    with gate(legacy, name) as opened:
        writer.run(f"XA START {xid}")
        writer.start(f"INSERT INTO t (v) SELECT GET_LOCK('{name}', 30)", shows="User lock")
        mark = Mark(legacy, writers)
        [name] = mine(mark.look, writer)
        opened()
    writer.end()
    writer.run(f"XA END {xid}", f"XA PREPARE {xid}")
    writer.close()
    assert name in mark.remaining()
    legacy.execute(f"XA COMMIT {xid}")
    mark.drains(writer, names=[name])
    assert mark.held()


@each(*EVERY)
def test_a_monitor_that_reads_the_list_constantly(legacy, writers, sessions):
    writer = sessions()
    with reading_constantly(legacy):
        writers.look()
        writer.run("BEGIN", "INSERT INTO t (v) VALUES (7)")
        mark = Mark(legacy, writers)
        assert mark.waits_for(writer)
        before = mark.below()
        writer.run("COMMIT")
        mark.drains(writer)
    assert len(mark.seen - before) == 1


@each()
def test_a_statement_that_begins_a_transaction_beside_a_monitor(legacy, writers, sessions):
    writer, name = sessions(), f"g{legacy.url.database}"
    with gate(legacy, name) as opened:
        writer.start(f"INSERT INTO t (v) SELECT GET_LOCK('{name}', 30) FROM s", shows="User lock")
        mark = Mark(legacy, writers)
        with reading_constantly(legacy):
            assert mark.waits_for(writer)
            opened()
    writer.end()
    mark.drains(writer)
    assert mark.held()


@each()
def test_sessions_of_ours_and_dumps_are_not_waited_for(legacy, database, writers, sessions):
    dump, name = sessions(), f"g{legacy.url.database}"
    dump.run("START TRANSACTION WITH CONSISTENT SNAPSHOT", "SELECT * FROM t")
    with contextlib.closing(legacy.database()) as other, other.lock("s", HOLDER), gate(legacy, name) as opened:
        dump.start(f"SELECT /*!40001 SQL_NO_CACHE */ GET_LOCK('{name}', 30) FROM s", shows="User lock")
        with other.snapshot():
            other.now()
            look = writers.look()
            assert not mine(look, dump)
            ours = legacy.execute(
                "SELECT id FROM information_schema.processlist"
                " WHERE info LIKE '%%legacy-events {%%' AND id <> CONNECTION_ID()"
            )
            assert ours
            assert not {one.pid for one in look.open.values()} & {number for (number,) in ours}
        opened()


@each()
def test_a_dump_between_two_tables_has_ended_with_the_next_one(legacy, database, sessions):
    dump, name, writers = sessions(), f"g{legacy.url.database}", writers_of(database, "changed")
    dump.run("START TRANSACTION WITH CONSISTENT SNAPSHOT", "SELECT * FROM t")
    with gate(legacy, name) as opened:
        dump.start(f"DO GET_LOCK('{name}', 30)", shows="User lock")
        mark = Mark(legacy, writers)
        assert mark.waits_for(dump)
        opened()
        dump.end()
        dump.run(f"DO RELEASE_LOCK('{name}')")
    with gate(legacy, name) as opened:
        dump.start(f"SELECT /*!40001 SQL_NO_CACHE */ GET_LOCK('{name}', 30) FROM s", shows="User lock")
        mark.drains(dump)
        opened()


@each()
def test_a_long_report_holds_back_times_alone_unless_it_is_read_only(legacy, writers, sessions):
    report, reader, name = sessions(), sessions(), f"g{legacy.url.database}"
    report.run("BEGIN", "SELECT * FROM t")
    reader.run("START TRANSACTION READ ONLY", "SELECT * FROM t")
    with gate(legacy, name) as opened:
        for one in (report, reader):
            one.start(f"SELECT GET_LOCK('{name}', 30) FROM s", shows="User lock")
        look = until(lambda: not mine(found := writers.look(), reader) and found)  # beside a monitor it is waited for
        assert bool(mine(look, report)) == (look.before is not None)
        opened()
        until(lambda: "User lock" not in report.shown() or "User lock" not in reader.shown())
        for one in (report, reader):
            legacy.execute(f"KILL {one.number}")


@each()
def test_a_session_without_a_pause_drains_too(legacy, writers, sessions):
    writer = sessions()
    legacy.execute("CREATE PROCEDURE p() BEGIN WHILE TRUE DO INSERT INTO t (v) VALUES (7); END WHILE; END")
    writer.start("CALL p()", shows="INSERT INTO t")
    for _ in range(3):
        Mark(legacy, writers).drains(writer)


@each(*EVERY)
def test_a_login_without_process_waits_for_none_and_says_which_grant_it_needs(legacy, request):
    user = User(legacy)
    request.addfinalizer(user.drop)
    user.grant(f"SELECT ON {legacy.url.database}.*")
    with contextlib.closing(legacy.database(username=user.name)) as database:
        writers = writers_of(database, "changed")
        assert writers.completeness == "best_effort"
        assert writers.reason.splitlines()[-1].startswith(f"GRANT PROCESS ON *.* TO '{user.name}'@")
        assert writers.look().open == writers.remaining(["session:1:"], {}) == {}
    user.grant("PROCESS ON *.*")
    with contextlib.closing(legacy.database(username=user.name)) as database:
        assert writers_of(database, "changed").completeness == "bounded"


@each()
@pytest.mark.parametrize(
    "changed",
    [
        {"started": 1, "transaction": 2**47},
        {"identity": {"server_uuid": "another"}},
    ],
    ids=["numbers went back", "another server"],
)
def test_a_server_that_does_not_know_the_transactions(legacy, writers, sessions, changed):
    writer = sessions()
    writer.run("BEGIN", "INSERT INTO t (v) VALUES (7)")
    look = writers.look()
    with pytest.raises(WatermarkError, match="does not know the transactions") as refused:
        writers.remaining(tuple(look.open), {**look.server, **changed})
    assert "--accept-server" in str(refused.value).splitlines()[-1]


@each()
def test_an_edited_set(writers):
    with pytest.raises(WatermarkError, match="can't be understood"):
        writers.remaining(["session of ann"], writers._process.facts(0))


@each()
@pytest.mark.clock_margin
def test_nothing_appears_below_a_drained_mark_whatever_writers_do(legacy, database):
    writers = {one: writers_of(database, one) for one in ("id", "changed")}
    with random_writers(legacy, sessions=6, seconds=60 if LONG else 4) as running:
        marks = []
        while running():
            for one in writers.values():
                mark = Mark(legacy, one, beside=False)
                mark.drains_all()
                marks.append(mark)
    assert len(marks) > 4
    for mark in marks:
        assert mark.held(), (mark.order, mark.below() - mark.seen)


@each()
def test_a_stream_of_ours_is_not_waited_for_beside_a_monitor(legacy, database):
    legacy.execute("INSERT INTO t (v) SELECT 1 FROM s JOIN (SELECT 1 UNION SELECT 2 UNION SELECT 3) AS more")
    writers, query = writers_of(database, "changed"), sa.select(sa.column("id")).select_from(sa.table("t"))
    with contextlib.closing(legacy.database()) as other, reading_constantly(legacy):
        other.reflect("t", None)
        slow = query.where(sa.text("SLEEP(0.3) = 0"))
        with other.stream(slow, 1, 1_000_000) as pages:
            running = Thread(target=lambda: list(pages))
            running.start()
            shown = "SELECT id FROM information_schema.processlist WHERE info LIKE '/* legacy-events */ SELECT%%'"
            [(number,)] = until(lambda: legacy.execute(shown))
            assert number not in [one.pid for one in writers.look().open.values()]
            running.join()
