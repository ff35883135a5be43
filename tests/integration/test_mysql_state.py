"""What the catalog of MariaDB and MySQL proves of tables, views and queries, and what it can't."""

from __future__ import annotations

import re

import pytest

from tests.support.engines import MARIADB, NEW_MYSQL, of
from tests.support.legacy import legacy_database
from tests.support.mysql import User

# A new MySQL 5.6 lets everybody do everything in databases whose names begin with test_.
WITH_RIGHTS = tuple(name for name in of("mysql", also=("mariadb-10.11",)) if name != "mysql-5.6")


@pytest.fixture(params=of("mysql", also=("mysql-5.6",)))
def legacy(request):
    with legacy_database(request, request.param) as found:
        yield found


@pytest.fixture
def database(legacy):
    made = legacy.database()
    yield made
    made.close()


@pytest.fixture
def reader(legacy):
    """A user who may read and nothing else, and its session."""
    user = User(legacy)
    user.grant(f"SELECT ON {legacy.url.database}.*")
    made = legacy.database(username=user.name)
    yield made
    made.close()
    user.drop()


def state(database, table="t", sql=None):
    return database.reflect(None if sql else table, sql).state


DISTINCT = {
    "id int PRIMARY KEY, a varchar(9) NOT NULL UNIQUE, b int UNIQUE, c int NOT NULL, KEY (c)": {("id",), ("a",)},
    "id int NOT NULL, a varchar(50) NOT NULL, UNIQUE (a(5)), UNIQUE (id, a(5))": set(),
    "id int NOT NULL, a int NOT NULL, PRIMARY KEY (a, id)": {("a", "id")},
    "id int PRIMARY KEY, a char(9) NOT NULL UNIQUE) ENGINE = (MyISAM": {("id",), ("a",)},
    "id int PRIMARY KEY, a char(9) NOT NULL UNIQUE) ENGINE = (MEMORY": {("id",), ("a",)},
    "id int PRIMARY KEY) ENGINE = MRG_MyISAM UNION = (one": set(),
    "id int PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS (3": {("id",)},
    "id int NOT NULL) ENGINE = (CSV": set(),
}


@pytest.mark.parametrize("declared", DISTINCT)
def test_columns_tell_rows_apart_where_the_catalog_proves_it(legacy, database, declared):
    legacy.execute("CREATE TABLE one (id int PRIMARY KEY) ENGINE = MyISAM")
    words = f"CREATE TABLE t ({declared})".replace("= (M", "= M").replace("= (C", "= C").replace("S (3", "S 3")
    legacy.execute(words[:-1] if words.count(")") > words.count("(") else words)
    assert set(state(database).distinct) == DISTINCT[declared]


HASHED = {
    "id int PRIMARY KEY, a text NOT NULL UNIQUE": ("a",),
    "id int PRIMARY KEY, a varchar(3000) NOT NULL, b int NOT NULL, UNIQUE (b, a)": ("b", "a"),
    "id int PRIMARY KEY, a varchar(9) NOT NULL, UNIQUE (a) USING HASH": ("a",),
}


@pytest.mark.parametrize("legacy", MARIADB, indirect=True)
@pytest.mark.parametrize("declared", HASHED)
def test_a_unique_index_of_hashes_is_found_and_proves_nothing(legacy, database, declared):
    legacy.connection._connection.query(f"CREATE TABLE t ({declared})")  # as it is spelled
    found = database.reflect("t", None)
    assert found.unique == (HASHED[declared],)
    assert found.state.distinct == (("id",),)
    assert HASHED[declared] not in found.indexes


@pytest.mark.parametrize("legacy", MARIADB, indirect=True)
def test_a_table_whose_only_unique_index_is_one_of_hashes_has_a_key(legacy):
    legacy.connection._connection.query("CREATE TABLE t (at int NOT NULL, code text NOT NULL UNIQUE)")
    legacy.execute("INSERT INTO t VALUES (1, 'b'), (1, 'a'), (1, 'c')")
    with legacy.source(watermark_columns=("at",), batch_rows=1) as source:
        batches = list(source.open(None).batches)
    assert [batches[0].shape.columns[at].name for at in batches[0].shape.key] == ["code"]
    assert [row for batch in batches for row in batch.rows] == [("1", "a"), ("1", "b"), ("1", "c")]


@pytest.mark.parametrize("legacy", MARIADB, indirect=True)
def test_a_text_that_is_sorted_with_its_padding_and_compared_without_proves_nothing(legacy, database):
    legacy.execute("CREATE TABLE t (a char(9) COLLATE utf8mb4_nopad_bin NOT NULL UNIQUE, b char(9) NOT NULL UNIQUE)")
    assert state(database).distinct == (("b",),)


@pytest.mark.parametrize("legacy", [*NEW_MYSQL, "mariadb-11.8"], indirect=True)
def test_an_index_that_the_optimizer_ignores_tells_rows_apart_and_is_not_forced(legacy, database):
    legacy.execute("CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, UNIQUE KEY u (a))")
    how = "INVISIBLE" if legacy.engine.name in NEW_MYSQL else "IGNORED"
    legacy.execute(f"ALTER TABLE t ALTER INDEX u {how}")
    assert state(database).distinct == (("id",), ("a",))
    legacy.execute("INSERT INTO t VALUES (1, 5)")
    with legacy.source(watermark_columns=("a",)) as source:
        assert [batch.rows for batch in source.open(None).batches] == [[("1", "5")]]


def test_an_object_is_known_by_its_creation_and_engine(legacy, database):
    legacy.execute("CREATE TABLE t (id int PRIMARY KEY) ENGINE = InnoDB")
    found = state(database).object
    assert found["engine"] == "InnoDB"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", found["created"])
    legacy.execute("INSERT INTO t VALUES (1)")
    legacy.execute("ANALYZE TABLE t")
    assert state(database).object == found
    legacy.execute("ALTER TABLE t ENGINE = MyISAM")
    assert state(database).object != found


def test_collations_are_known_by_column_of_tables_views_and_queries(legacy, database):
    legacy.execute("CREATE TABLE t (id int, a varchar(9) COLLATE utf8mb4_bin, e enum('x') COLLATE utf8mb4_unicode_ci)")
    legacy.execute("CREATE VIEW v AS SELECT * FROM t")
    wanted = {"a": "utf8mb4_bin", "e": "utf8mb4_unicode_ci"}
    for found in (state(database), state(database, "v"), state(database, sql="SELECT * FROM t")):
        assert found.order == wanted
    legacy.execute("ALTER TABLE t MODIFY a varchar(9) COLLATE utf8mb4_unicode_ci")
    assert state(database, "v").order == wanted | {"a": "utf8mb4_unicode_ci"}


def test_a_view_is_known_by_its_definition_and_those_below_it(legacy, database):
    legacy.execute("CREATE TABLE t (id int, a int, b int)")
    legacy.execute("CREATE VIEW low AS SELECT id, a, b FROM t WHERE a > 0")
    legacy.execute("CREATE VIEW v AS SELECT id FROM low WHERE b > 0")
    query = "SELECT id FROM v"
    found = state(database, "v"), state(database, sql=query)
    assert None not in [one.definition for one in found]
    legacy.execute("CREATE OR REPLACE VIEW v AS SELECT id, a + 1 AS a FROM low WHERE b > 0")
    legacy.execute("ALTER TABLE t ADD c int")
    assert [one.definition for one in (state(database, "v"), state(database, sql=query))] == [
        one.definition for one in found
    ]
    legacy.execute("CREATE OR REPLACE VIEW low AS SELECT id, a, b FROM t WHERE a > -1")
    assert state(database, "v").definition != found[0].definition
    assert state(database, sql=query).definition != found[1].definition
    assert state(database).definition is state(database, sql="SELECT id FROM t").definition is None


@pytest.mark.parametrize("legacy", WITH_RIGHTS, indirect=True)
def test_what_a_reader_may_not_see_of_a_view_is_told_with_grants_that_show_it(legacy, reader):
    legacy.execute("CREATE TABLE t (id int) ENGINE = InnoDB")
    legacy.execute("CREATE VIEW low AS SELECT id FROM t")
    legacy.execute("CREATE VIEW v AS SELECT id FROM low")
    for _ in range(2):  # the definition of the upper one names the lower one
        found = state(reader, "v")
        assert found.definition is None
        [grant] = re.findall(r"GRANT SHOW VIEW .+(?= shows it)", found.unknown[0])
        assert grant in found.unheld
        legacy.execute(grant)
    found = state(reader, "v")
    assert found.definition is not None
    assert (found.unknown, found.unheld) == ((), None)


@pytest.mark.parametrize("legacy", WITH_RIGHTS, indirect=True)
def test_a_table_below_a_view_that_a_reader_may_not_see_is_told(legacy, reader):
    other = f"{legacy.url.database}_2"
    legacy.execute(f"CREATE DATABASE {other}")
    try:
        legacy.execute(f"CREATE TABLE {other}.t (id int) ENGINE = InnoDB")
        legacy.execute(f"CREATE VIEW v AS SELECT id FROM {other}.t")
        user = state(reader, "v").unknown[0]
        legacy.execute(re.findall(r"GRANT SHOW VIEW .+(?= shows it)", user)[0])
        found = state(reader, "v")
        assert found.definition is not None
        [grant] = re.findall(r"GRANT SELECT .+(?= shows it)", found.unheld)
        legacy.execute(grant)
        assert state(reader, "v").unheld is None
    finally:
        legacy.execute(f"DROP DATABASE {other}")


UNHELD = {
    "the table": {"table": "t"},
    "a view": {"table": "v"},
    "a view of a view": {"table": "w"},
    "a query": {"sql": "SELECT id FROM t"},
    "a query of one row": {"sql": "SELECT * FROM held h WHERE h.id IN (SELECT t.id FROM `t` WHERE t.id = 1)"},
    "a query of a view": {"sql": "SELECT h.id FROM held AS h LEFT JOIN (w AS x) ON h.id = x.id"},
}


@pytest.mark.parametrize("what", UNHELD)
@pytest.mark.parametrize("engine", ["MyISAM", "MEMORY"])
def test_what_no_snapshot_holds_is_told_with_the_statement_that_mends_it(legacy, database, what, engine):
    legacy.execute("CREATE TABLE held (id int PRIMARY KEY) ENGINE = InnoDB")
    legacy.execute(f"CREATE TABLE t (id int PRIMARY KEY) ENGINE = {engine}")
    legacy.execute("INSERT INTO t VALUES (1)")
    legacy.execute("CREATE VIEW v AS SELECT id FROM t WHERE id = 1")
    legacy.execute("CREATE VIEW w AS SELECT h.id FROM held h JOIN v ON v.id = h.id")
    found = state(database, **UNHELD[what]).unheld
    assert f"engine {engine}" in found
    [mended] = re.findall(r"ALTER TABLE .+(?= fixes it)", found)
    legacy.execute(mended)
    assert state(database, **UNHELD[what]).unheld is None


def test_a_query_of_tables_that_a_snapshot_holds_says_nothing(legacy, database):
    legacy.execute("CREATE TABLE t (id int PRIMARY KEY, c varchar(9)) ENGINE = InnoDB")
    legacy.execute("CREATE TABLE c (id int) ENGINE = MyISAM")  # as a column, and not read
    queries = [
        "SELECT id, c FROM t",
        "SELECT 1 AS one",
        "SELECT TRIM(' ' FROM t.c) AS c, (SELECT max(c) FROM t) m FROM t",
    ]
    if "CTE" not in legacy.engine.lacks:
        queries.append("WITH x AS (SELECT id FROM t) SELECT x.id FROM x, t WHERE t.id = x.id AND t.c IN ('FROM c')")
    for sql in queries:
        assert state(database, sql=sql).unheld is None


def test_what_the_server_makes_up_is_not_held(database):
    found = state(database, sql="SELECT id, time FROM information_schema.processlist")
    assert found.unheld == "`information_schema`.`processlist` is generated by the server while it is read"


def test_rows_of_a_merged_table_are_not_known_by_their_keys_alone(legacy):
    for number in (1, 2):
        legacy.execute(f"CREATE TABLE t{number} (id int PRIMARY KEY) ENGINE = MyISAM")
        legacy.execute(f"INSERT INTO t{number} VALUES ({number}), ({number + 2})")
    legacy.execute("CREATE TABLE t (id int PRIMARY KEY) ENGINE = MRG_MyISAM UNION = (t1, t2)")
    for table, op in {"t": "u", "t1": "c"}.items():
        with legacy.source(table=table, watermark_columns=("id",)) as source:
            assert {batch.op for batch in source.open(None).batches} == {op}
