"""The doctor on prepared databases: what it says of a task's completeness is what the next run of it reports."""

from __future__ import annotations

import json
import uuid
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from tests.airflow import metadata
from tests.airflow.scheduler import Dag
from tests.services.postgres import Postgres
from tests.support.databases import fresh_database
from tests.support.engines import ENGINES
from tests.support.legacy import Legacy, connected, legacy_database
from tests.support.profile import LONG
from tests.support.readers import connecting
from tests.support.standby import primary_and_standby

HEAD = "from airflow.sdk import DAG\nfrom airflow_legacy_events.operators.query import IncrementalQueryOperator\n"
TYPES = {"postgresql": "postgres", "mysql": "mysql"}
POSTGRES, MARIADB, MYSQL, SQLITE = "postgresql-18", "mariadb-10.11", "mysql-9.7", "sqlite"
TABLE = "CREATE TABLE t (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"
VIEW, RETURNING = "CREATE VIEW v AS SELECT * FROM t", "CREATE TABLE t (id INTEGER PRIMARY KEY)"
BY_HAND = "CREATE TABLE t (id bigserial PRIMARY KEY, at timestamptz NOT NULL)"
LOCAL = "CREATE TABLE t (id bigserial PRIMARY KEY, at timestamp NOT NULL DEFAULT now())"
STAMP = "at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)"
MYSQL_TABLE = f"CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, p INT, {STAMP})"
PARENT = "CREATE TABLE p (id INT PRIMARY KEY)"
CHILD = MYSQL_TABLE.replace(STAMP, f"{STAMP}, FOREIGN KEY (p) REFERENCES p (id) ON DELETE SET NULL")


class Prepared(NamedTuple):
    """A database, and what the doctor must say of a task that reads it.

    Attributes:
        name: of the case.
        engine: of the database.
        tables: statements that prepare it.
        by: watermark column.
        completeness: that a run reaches.
        says: words of the reason.
        rights: of the user who reads; None: the administrator.
        table: that is read.
        long: whether it is part of the long form alone, since another case takes the same way to another reason.
    """

    name: str
    engine: str
    tables: tuple[str, ...]
    by: str
    completeness: str
    says: str
    rights: tuple[str, ...] | None = None
    table: str = "t"
    long: bool = False


READS = ("GRANT SELECT ON t TO reader",)
READS_MYSQL = ("GRANT SELECT ON crm.* TO reader",)
CASES = (
    Prepared("ids of an identity", POSTGRES, (TABLE,), "id", "bounded", "such as those of a pool"),
    Prepared(
        "ids of a pool",
        POSTGRES,
        (TABLE, "ALTER SEQUENCE t_id_seq INCREMENT 2"),
        "id",
        "best_effort",
        "ALTER SEQUENCE t_id_seq INCREMENT 1",
        long=True,
    ),
    Prepared(
        "ids that sessions cache",
        POSTGRES,
        (TABLE, "ALTER SEQUENCE t_id_seq CACHE 20"),
        "id",
        "best_effort",
        "ALTER SEQUENCE t_id_seq CACHE 1",
    ),
    Prepared("no pg_read_all_stats", POSTGRES, (TABLE,), "at", "bounded", "GRANT pg_read_all_stats TO", READS),
    Prepared("a time without a default", POSTGRES, (BY_HAND,), "at", "best_effort", "SET DEFAULT now()", long=True),
    Prepared("a time without a zone", POSTGRES, (LOCAL,), "at", "bounded", "AT TIME ZONE", long=True),
    Prepared(
        "a view",
        POSTGRES,
        (TABLE, "CREATE VIEW v AS SELECT * FROM t"),
        "id",
        "bounded",
        "a row of the view appears",
        table="v",
    ),
    Prepared("row versions", POSTGRES, (TABLE,), "xmin", "exact", ""),
    Prepared("no PROCESS", MYSQL, (MYSQL_TABLE,), "id", "best_effort", "GRANT PROCESS ON *.* TO", READS_MYSQL),
    Prepared("a child of a foreign key with SET NULL", MARIADB, (PARENT, CHILD), "at", "best_effort", "NO ACTION"),
    Prepared(
        "a MyISAM table",
        MARIADB,
        (f"{MYSQL_TABLE} ENGINE=MyISAM",),
        "id",
        "bounded",
        "AUTO_INCREMENT itself",
        long=True,
    ),
    Prepared(
        "ids of SQLite that return",
        SQLITE,
        ("CREATE TABLE t (id INTEGER PRIMARY KEY)",),
        "id",
        "best_effort",
        "AUTOINCREMENT",
    ),
)


@contextmanager
def prepared(request, case):
    """The database with its tables, and the URL of the user who reads it."""
    with ExitStack() as stack:
        legacy = stack.enter_context(legacy_database(request, case.engine))
        for statement in case.tables:
            legacy.execute(statement)
        url = legacy.url
        if case.rights is not None:
            reader = stack.enter_context(connecting(legacy))
            reader.may(case.rights)
            url = reader.url
        yield url


def connect(url):
    """Put a connection of Airflow that leads to a database."""
    fields = {"conn_type": "sqlite", "host": url.database}
    if (dialect := url.get_backend_name()) != "sqlite":
        fields = {"host": url.host, "port": url.port, "login": url.username, "password": url.password}
        fields |= {"conn_type": TYPES[dialect], "schema": url.database}
    metadata.put_connection("prepared", **fields)


def examine(capsys, topic, case, **arguments):
    """The findings of the doctor, its error, and the DAG."""
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"
    arguments = {"table": case.table, "watermark_columns": [case.by], "source_timezone": "UTC", **arguments}
    if case.table == "v":
        arguments["key_columns"] = ["id"]
    words = "".join(f", {name}={value!r}" for name, value in arguments.items())
    made = f"IncrementalQueryOperator(task_id='publish', source_conn_id='prepared', topic={topic!r}{words})"
    dag = Dag.write(f"{HEAD}\nwith DAG({dag_id!r}, schedule=None):\n    {made}\n", dag_id)
    capsys.readouterr()
    error = None
    try:
        metadata.cli("legacy-events", "doctor", dag_id, "publish", "-o", "json")
    except SystemExit as ended:
        error = str(ended)
    return json.loads(capsys.readouterr().out), error, dag


@pytest.mark.parametrize("case", [one for one in CASES if LONG or not one.long], ids=lambda case: case.name)
def test_the_doctor_says_what_the_run_reports(request, broker, topic, capsys, case):
    with prepared(request, case) as url:
        connect(url)
        findings, error, dag = examine(capsys, topic, case)
        assert error is None, findings
        [said] = [one["text"] for one in findings if one["check"] == "completeness"]
        assert said.startswith(f"{case.completeness}: ")
        assert case.says in said
        report = metadata.pulled(dag.run(), "publish")
        assert f"{report['completeness']}: {report['completeness_reason']}" == said
        if case.completeness == "best_effort":
            findings, error, dag = examine(capsys, topic, case, completeness="bounded")
            assert error == "the next run of this task would fail"
            assert case.says in next(one["text"] for one in findings if one["check"] == "completeness")
            assert metadata.states(dag.run()) == {"publish": "failed"}


if LONG:  # two servers of its own

    @pytest.mark.parametrize("by", ["id", "xmin"])
    def test_the_doctor_on_a_standby_names_the_primary(broker, topic, capsys, by):
        with primary_and_standby(Postgres) as (primary, standby), fresh_database(primary) as database:
            url = sa.make_url(database.url)
            application = connected(url)
            Legacy(ENGINES["postgresql-15"], url, application).execute("CREATE TABLE t (id bigserial PRIMARY KEY)")
            application.close()
            standby.follow()
            connect(sa.make_url(standby.url(str(url.database))))
            completeness, says = ("exact", "") if by == "xmin" else ("best_effort", "Read from the primary")
            case = Prepared("standby", POSTGRES, (), by, completeness, says)
            findings, error, dag = examine(capsys, topic, case)
            assert error is None, findings
            [said] = [one["text"] for one in findings if one["check"] == "completeness"]
            assert said.startswith(f"{completeness}: ")
            assert says in said
            report = metadata.pulled(dag.run(), "publish")
            assert f"{report['completeness']}: {report['completeness_reason']}" == said
