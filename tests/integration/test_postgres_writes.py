"""What PostgreSQL's catalog says of deleting and updating rows, and what it refuses."""

from __future__ import annotations

import re
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import ConfigurationError, SourceError
from airflow_legacy_events.databases.postgres import PostgresDatabase, lock
from tests.services.base import wait_until
from tests.services.postgres import Postgres
from tests.support.engines import of
from tests.support.legacy import legacy_database

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}
SECRET = "Ada.Lovelace"
NOTHING = sa.delete(sa.table("t")).where(sa.text("1 = 0"))


@pytest.fixture(params=of("postgresql", also=("postgresql-15",)))
def legacy(request):
    with legacy_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id bigint PRIMARY KEY, sent timestamptz, body text)")
        found.execute(
            "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN coalesce(new, old); END'"
        )
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
def role(legacy):
    """A user who may connect and nothing else."""
    name = f"{legacy.url.database}_writer"
    legacy.execute(f"CREATE ROLE {name} LOGIN")
    yield name
    legacy.execute(f"DROP OWNED BY {name}")
    legacy.execute(f"DROP ROLE {name}")


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        ("MATERIALIZED VIEW v AS SELECT * FROM t", "a materialized view"),
        ("FOREIGN TABLE v (id int) SERVER files OPTIONS (filename '/dev/null')", "a foreign table"),
        ("SEQUENCE v", "no table"),
    ],
)
def test_what_is_no_table_is_refused_by_its_kind(legacy, databases, made, kind):
    if "files" in made:
        legacy.execute("CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw")
    legacy.execute(f"CREATE {made}")
    with pytest.raises(ConfigurationError, match=f"table='v' is {kind}, and rows are deleted or marked in a table"):
        databases().writes("v")


def test_a_table_with_a_partition_on_another_server_is_refused(legacy, databases):
    legacy.execute("CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw")
    legacy.execute("CREATE TABLE p (id bigint) PARTITION BY RANGE (id)")
    partition = "FOREIGN TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9) SERVER files"
    legacy.execute(f"CREATE {partition} OPTIONS (filename '/dev/null')")
    with pytest.raises(ConfigurationError, match="table='p' is a table with partitions on other servers"):
        databases().writes("p")


def test_triggers_are_told_with_what_they_run(legacy, databases):
    legacy.execute(
        "CREATE TRIGGER a BEFORE DELETE OR UPDATE OF sent, body ON t FOR EACH ROW EXECUTE FUNCTION look();"
        " CREATE TRIGGER b AFTER DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION look();"
        " CREATE TRIGGER c AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION look(); ALTER TABLE t DISABLE TRIGGER c"
    )
    found = databases().writes("t")
    assert found.effects == (
        "trigger a BEFORE DELETE, for each row: look()",
        "trigger b AFTER DELETE, for each statement: look()",
    )
    assert found.update_effects == ("trigger a BEFORE UPDATE OF sent, body, for each row: look()",)


def test_a_rule_is_told(legacy, databases):
    legacy.execute("CREATE RULE keep AS ON DELETE TO t DO INSTEAD NOTHING")
    legacy.execute("CREATE RULE tell AS ON UPDATE TO t DO ALSO NOTIFY told")
    found = databases().writes("t")
    assert (found.effects, found.update_effects) == (("rule keep ON DELETE DO INSTEAD",), ("rule tell ON UPDATE",))


def test_policies_are_told_to_those_whom_they_bind(legacy, databases, role):
    legacy.execute(f"GRANT SELECT, UPDATE, DELETE ON t TO {role}")
    legacy.execute("ALTER TABLE t ENABLE ROW LEVEL SECURITY")
    legacy.execute(f"CREATE POLICY mine ON t FOR DELETE TO {role} USING (body = current_user)")
    legacy.execute("CREATE POLICY shown ON t FOR SELECT USING (true)")
    legacy.execute("CREATE POLICY theirs ON t FOR DELETE TO pg_monitor USING (true)")
    found = databases(username=role).writes("t")
    assert found.effects == ("row-level security: mine, shown says which rows this user may DELETE",)
    assert found.update_effects == ("row-level security: shown says which rows this user may UPDATE",)
    assert databases().writes("t").effects == ()


def test_a_partitioned_table_is_one_with_its_partitions(legacy, databases):
    legacy.execute(
        "CREATE TABLE p (id bigint PRIMARY KEY, body text) PARTITION BY RANGE (id);"
        " CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);"
        " CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200);"
        " CREATE TABLE child (p_id bigint REFERENCES p ON DELETE CASCADE, p1_id bigint REFERENCES p1);"
        " CREATE TRIGGER each AFTER DELETE ON p FOR EACH ROW EXECUTE FUNCTION look();"
        " CREATE TRIGGER own AFTER DELETE ON p1 FOR EACH ROW EXECUTE FUNCTION look();"
        " CREATE TRIGGER stated AFTER DELETE ON p1 FOR EACH STATEMENT EXECUTE FUNCTION look();"
        " INSERT INTO p SELECT n, repeat('x', 100) FROM generate_series(0, 199) n"
    )
    found = databases().writes("p")
    assert found.references == ("foreign key child_p1_id_fkey of child (p1_id), ON DELETE NO ACTION",)
    assert found.effects == (
        "foreign key child_p_id_fkey of child (p_id), ON DELETE CASCADE",
        "trigger each AFTER DELETE, for each row: look()",
        "trigger own AFTER DELETE, for each row: look()",
    )
    assert found.bytes == sum(databases().writes(name).bytes for name in ("p1", "p2"))


def test_rows_that_came_and_went_are_counted(legacy, databases):
    legacy.execute("INSERT INTO t SELECT n FROM generate_series(1, 20) n")
    legacy.execute("DELETE FROM t WHERE id <= 5")
    legacy.execute("SELECT pg_stat_force_next_flush()::text")
    database = databases()
    assert wait_until(lambda: database.writes("t").churn == (20, 5), "the statistics of the table", 10)


def test_a_sequence_that_begins_again_is_told(legacy, databases):
    legacy.execute("CREATE TABLE o (id bigint GENERATED BY DEFAULT AS IDENTITY (MAXVALUE 9 CYCLE) PRIMARY KEY)")
    assert databases().writes("o").ids_return == "the sequence o_id_seq restarts after its last number (CYCLE)"
    assert databases().writes("t").ids_return is None


def test_a_missing_right_is_the_reason_of_a_refusal(legacy, databases, role):
    legacy.execute(f"GRANT SELECT ON t TO {role}")
    database = databases(username=role)
    told, grant = str(database.refusal(NOTHING)).split("\n")
    assert told == "permission denied for table t (SQLSTATE 42501). Run the GRANT below:"
    assert re.fullmatch(r"GRANT DELETE ON public\.t TO \w+", grant)
    legacy.execute(f"GRANT DELETE ON t TO {role}")
    assert database.refusal(NOTHING) is None


def test_a_publication_without_a_replica_identity_is_the_reason_of_a_refusal(legacy, databases):
    legacy.execute("CREATE TABLE bare (id bigint)")
    legacy.execute("CREATE PUBLICATION everything FOR ALL TABLES")
    nothing = sa.delete(sa.table("bare")).where(sa.text("1 = 0"))
    assert "because it does not have a replica identity and publishes deletes" in databases().refusal(nothing)
    assert databases().refusal(NOTHING) is None


def test_a_statement_that_waits_too_long_is_an_error_and_no_refusal(legacy):
    database = legacy.database(timeout=0.2)
    with legacy.connect() as other, other.transaction():
        other.execute("LOCK TABLE t")
        with pytest.raises(SourceError, match="connection 'crm' failed while checking whether rows may be written"):
            database.refusal(NOTHING)
    database.close()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (f"DELETE FROM t WHERE id = '{SECRET}'::int", r"InvalidTextRepresentation \(SQLSTATE 22P02\)"),
        ("DELETE FROM t WHERE id = 1", r'violates foreign key constraint "child_id_fkey" on table "child"'),
        ("UPDATE t SET body = 'x'", r"function complain raised an exception \(SQLSTATE P0001\)"),
        ("UPDATE t SET sent = now()", r"function complain raised an exception \(SQLSTATE 23505\)"),
    ],
)
def test_an_error_holds_no_value_of_a_row(legacy, databases, statement, said):
    legacy.execute(f"INSERT INTO t VALUES (1, NULL, '{SECRET}')")
    legacy.execute("CREATE TABLE child (id bigint REFERENCES t); INSERT INTO child VALUES (1)")
    legacy.execute(
        "CREATE FUNCTION complain() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.sent IS NULL THEN"
        " RAISE EXCEPTION 'no % here', old.body; END IF;"
        " RAISE EXCEPTION 'no % here', old.body USING ERRCODE = 'unique_violation'; END $$;"
        " CREATE TRIGGER c BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION complain()"
    )
    with databases().lock("s", HOLDER) as lease, pytest.raises(SourceError, match=said) as failed:
        lease.execute([sa.text(statement)])
    shown = "".join(traceback.format_exception(failed.value))
    assert SECRET not in shown
    assert "(1)" not in shown


def test_a_subscribed_table_is_written_at_its_publisher(legacy, databases, role, postgres, postgres18):
    server = {"postgres18": postgres18}.get(legacy.engine.server, postgres)
    legacy.execute("CREATE PUBLICATION own FOR TABLE t")
    connection = server.dsn(legacy.url.database)
    how = "create_slot = false, enabled = false, copy_data = false, slot_name = NONE"
    legacy.execute(f"CREATE SUBSCRIPTION sub CONNECTION '{connection}' PUBLICATION own WITH ({how})")
    try:
        text = "its rows arrive by the subscription sub"
        at = f"{legacy.url.host}:{legacy.url.port}"
        assert databases().writes("t").elsewhere == f"{text} from {at}; they are written at the publisher"
        assert databases(username=role).writes("t").elsewhere == f"{text}; they are written at the publisher"
    finally:
        legacy.execute("DROP SUBSCRIPTION sub")


class Standby(Postgres):
    """A server that waits for the changes of another one."""

    def spawn(self, command, **options):
        (self.folder / "data" / "standby.signal").touch()
        primary = "-cprimary_conninfo=host=127.0.0.1 port=1 user=postgres password=geheim"
        super().spawn([*command, primary], **options)


def test_a_standby_names_its_primary_and_refuses_to_write_and_to_listen(monkeypatch):
    monkeypatch.delenv(Postgres.variable, raising=False)
    standby = Standby()
    try:
        database = PostgresDatabase(sa.make_url(standby.url()), conn_id="crm", statement_timeout_seconds=30)
        found = database.writes("pg_catalog.pg_statistic")
        refused = database.refusal(sa.delete(sa.table("pg_statistic", schema="pg_catalog")))
        with pytest.raises(ConfigurationError, match="is a standby, which can't listen"), database.listen("news"):
            pass
        database.close()
    finally:
        standby.stop()
    assert found.elsewhere == "this server is a standby, its primary is 127.0.0.1:1"
    assert "during recovery" in refused


def test_a_row_that_somebody_holds_for_long_is_waited_for_in_several_tries(legacy, databases, monkeypatch):
    monkeypatch.setattr(lock, "LOCK_SECONDS", 0.3)
    legacy.execute("INSERT INTO t VALUES (1, NULL, 'x')")
    begun = "SELECT xact_start FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE 'DELETE%'"
    seen: set[Any] = set()

    def is_tried_again() -> bool:
        seen.update(legacy.execute(begun))
        return len(seen) > 1

    with databases().lock("s", HOLDER) as lease, ThreadPoolExecutor(1) as threads:
        with legacy.connect() as other, other.transaction():
            other.execute("SELECT 1 FROM t WHERE id = 1 FOR UPDATE")
            waiting = threads.submit(lease.execute, [sa.text("DELETE FROM t WHERE id = 1")])
            assert wait_until(is_tried_again, "a second try", 10)
        assert waiting.result(20)[0].number == 1
