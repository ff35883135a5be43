"""What Firebird's catalog says of deleting and updating rows, and what its errors say of them."""

from __future__ import annotations

import traceback

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import SourceError
from tests.support.legacy import legacy_database

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}
SECRET = "Ada.Lovelace"
T = sa.table("t", sa.column("id"), sa.column("body"))
NOTHING = sa.delete(T).where(sa.text("1 = 0"))


@pytest.fixture
def legacy(request):
    with legacy_database(request, "firebird") as found:
        found.execute("CREATE TABLE t (id integer PRIMARY KEY, body varchar(40))")
        found.execute(f"INSERT INTO t VALUES (1, '{SECRET}')")
        yield found


@pytest.fixture
def database(legacy):
    made = legacy.database()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("fires", "deleting", "updating"),
    [
        ("BEFORE DELETE", True, False),
        ("AFTER INSERT OR UPDATE", False, True),
        ("BEFORE UPDATE OR DELETE", True, True),
        ("AFTER INSERT OR UPDATE OR DELETE", True, True),
        ("INACTIVE AFTER DELETE", False, False),
    ],
)
def test_triggers_of_several_statements_are_told_for_each(legacy, database, fires, deleting, updating):
    legacy.execute(f"CREATE TRIGGER fired FOR t {fires} AS BEGIN END")
    found = database.writes("t")
    assert found.effects == (("trigger FIRED on DELETE",) if deleting else ())
    assert found.update_effects == (("trigger FIRED on UPDATE",) if updating else ())
    assert found.unknown == ()


def test_a_missing_right_is_the_reason_of_a_refusal(legacy):
    legacy.execute("GRANT SELECT ON t TO reader")
    database = legacy.database(username="READER")
    assert database.refusal(NOTHING).startswith("no permission for DELETE access to TABLE T, SQLSTATE 28000")
    legacy.execute("GRANT DELETE ON t TO reader")
    assert database.refusal(NOTHING) is None
    database.close()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM t WHERE id = 1", r'violation of FOREIGN KEY constraint "FK_T" on table "CHILD", SQLSTATE 23000'),
        ("UPDATE t SET id = body", r"DatabaseError, SQLSTATE 22018"),
        ("UPDATE t SET body = body || '!'", r"DatabaseError, SQLSTATE HY000"),
    ],
)
def test_an_error_holds_no_value_of_a_row(legacy, database, statement, said):
    legacy.execute("CREATE TABLE child (t_id integer, CONSTRAINT fk_t FOREIGN KEY (t_id) REFERENCES t (id))")
    legacy.execute("INSERT INTO child VALUES (1)")
    legacy.execute(f"CREATE EXCEPTION complaint 'no {SECRET} here'")
    legacy.execute("CREATE TRIGGER c FOR t AFTER UPDATE AS BEGIN IF (new.id = 1) THEN EXCEPTION complaint; END")
    with database.lock("s", HOLDER) as lease, pytest.raises(SourceError, match=said) as failed:
        lease.execute([sa.text(statement)])
    shown = "".join(traceback.format_exception(failed.value))
    assert SECRET not in shown
    assert "Problematic key" not in shown
