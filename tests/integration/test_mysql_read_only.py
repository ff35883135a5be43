"""Whatever is read from MariaDB and MySQL runs in read-only transactions: it writes nothing, and keeps no setting."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import SourceError
from tests.support.engines import of
from tests.support.legacy import reused_database

# What a function sets for the session, and how it is seen.
SETTINGS = {
    "TRANSACTION READ WRITE": None,
    "TRANSACTION ISOLATION LEVEL READ UNCOMMITTED": None,
    "sql_mode = 'ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH'": "@@sql_mode",
    "time_zone = '+05:30'": "@@time_zone",
    "sql_select_limit = 1": "@@sql_select_limit",
    "max_sort_length = 64": "@@max_sort_length",
    "group_concat_max_len = 4": "@@group_concat_max_len",
    "character_set_results = NULL": "@@character_set_results",
    "collation_connection = utf8mb4_bin": "@@collation_connection",
    "wait_timeout = 1": "@@wait_timeout",
    "timestamp = 1": "UNIX_TIMESTAMP() < 100",
    "lc_time_names = 'de_DE'": "@@lc_time_names",
}
STAMPED = "SELECT id, at FROM t"


@pytest.fixture(params=of("mysql", also=("mysql-5.6",)))
def legacy(request):
    with reused_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id int PRIMARY KEY, at timestamp NULL)")
        found.execute("INSERT INTO t VALUES (1, NULL), (2, '2026-01-01 00:00:00'), (3, NULL), (4, NULL)")
        found.execute("CREATE TABLE written (id int)")
        yield found


@pytest.fixture
def database(legacy):
    made = legacy.database()
    yield made
    made.close()


def function(legacy, name: str, body: str, kind: str = "NO SQL") -> None:
    # As mysqlclient sends it: several statements may be one.
    cursor = legacy.connection._connection.cursor()
    cursor.execute(f"CREATE FUNCTION {name}() RETURNS int DETERMINISTIC {kind} BEGIN {body}; RETURN 1; END")
    cursor.close()


def isolation(legacy) -> tuple[str, str]:
    found = legacy.execute("SHOW VARIABLES WHERE Variable_name IN ('transaction_isolation', 'tx_isolation')")
    prefix = found[0][0].partition("_")[0]
    return f"@@{prefix}_isolation", f"@@{prefix}_read_only"


@pytest.mark.parametrize("by", ["sql", "table"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_that_is_changed_by_what_is_read_is_undone(legacy, database, setting, by):
    function(legacy, "sly", f"SET SESSION {setting}")
    query = "SELECT sly() AS one FROM t"
    legacy.execute(f"CREATE VIEW v AS {query}")
    names = ", ".join([*isolation(legacy), *filter(None, [SETTINGS[setting]])])
    asked = sa.text(f"SELECT {names}")
    before = database.read(asked)
    found = database.reflect("v" if by == "table" else None, None if by == "table" else query)
    everything = sa.select(sa.column("one")).select_from(found.selectable)
    for _ in range(2):
        assert len(database.read(everything)) == 4
        assert database.read(asked) == before
    with database.snapshot():
        assert len(database.read(everything)) == 4
        assert database.read(asked)[0][2:] == before[0][2:]
    assert database.read(asked) == before


@pytest.mark.parametrize("by", ["sql", "table", "a view that the reader may not see into"])
def test_later_pages_can_not_write(legacy, by):
    """Each page lets later ones write, as far as it can, and would write if it might."""
    function(legacy, "open_up", "SET SESSION TRANSACTION READ WRITE")
    function(legacy, "write_behind", "INSERT INTO written VALUES (1)", "MODIFIES SQL DATA")
    quick = "SELECT id, open_up() AS opened FROM t"
    legacy.execute(f"CREATE VIEW v AS {quick}")
    if by == "a view that the reader may not see into":
        legacy.execute("CREATE ALGORITHM = MERGE VIEW w AS SELECT id, opened FROM v")
    table = None if by == "sql" else "w" if by.startswith("a") else "v"
    what = {"sql": quick, "table": None} if by == "sql" else {"table": table}
    with legacy.source(watermark_columns=("id",), key_columns=("id",), batch_rows=1, **what) as source:
        assert sum(len(batch.rows) for batch in source.open(None).batches) == 4
        with pytest.raises(SourceError, match="READ ONLY"):
            source.database.read(sa.text("SELECT write_behind() AS written"))
    assert legacy.execute("SELECT count(*) FROM written") == [(0,)]


@pytest.mark.parametrize(
    "sly",
    [
        "SELECT open_up() AS a UNION ALL SELECT write_behind()",
        "SELECT a.a FROM (SELECT open_up() AS a) a JOIN (SELECT write_behind() AS b) b",
        "SELECT IF(open_up() = 1, write_behind(), 2) AS a",
        "SELECT open_and_write() AS a",
        "SELECT for_the_next() AS a",
    ],
)
def test_a_statement_that_opens_its_session_up_can_not_write_itself(legacy, database, sly):
    function(legacy, "open_up", "SET SESSION TRANSACTION READ WRITE")
    function(legacy, "write_behind", "INSERT INTO written VALUES (1)", "MODIFIES SQL DATA")
    opened = "SET SESSION TRANSACTION READ WRITE; INSERT INTO written VALUES (2)"
    function(legacy, "open_and_write", opened, "MODIFIES SQL DATA")
    function(legacy, "for_the_next", opened.replace("SESSION ", ""), "MODIFIES SQL DATA")
    for _ in range(2):
        with pytest.raises(SourceError, match="READ ONLY"):
            database.read(sa.text(sly))
    assert legacy.execute("SELECT count(*) FROM written") == [(0,)]


def test_a_plain_query_costs_no_further_statement(legacy, database, monkeypatch):
    found = database.reflect(None, "SELECT id, CONCAT(id, ' x') AS a, COALESCE(at, 0) AS at FROM t WHERE id IN (1, 2)")
    ids = sa.select(sa.column("id")).select_from(found.selectable)
    database.read(ids)
    session = type(database._session)
    statements = []
    plain = session.rows
    monkeypatch.setattr(session, "rows", lambda *words: (statements.append(words[1]), plain(*words))[1])
    database.read(ids)
    assert statements == []


def test_a_snapshot_inside_a_snapshot_is_the_same_one(legacy, database):
    count = sa.text("SELECT count(*) FROM t")
    with database.snapshot():
        assert database.read(count) == [("4",)]
        legacy.execute("DELETE FROM t WHERE id = 1")
        with database.snapshot():
            assert database.read(count) == [("4",)]
        assert database.read(count) == [("4",)]
    assert database.read(count) == [("3",)]
