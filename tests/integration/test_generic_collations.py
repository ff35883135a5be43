"""Collations that sort in another way than they compare: pages by such a column would skip rows in silence."""

from __future__ import annotations

import contextlib

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.databases.generic import GenericDatabase
from airflow_legacy_events.sources.query import QuerySource
from tests.support.legacy import legacy_database, reused_database

WORDS = [("a", 0), ("A", 1), ("a", 2), ("A", 3), ("b", 4), ("B", 5), ("b", 6), ("ä", 7)]
OTHER_WAY = "sorted differently than it is compared"


@pytest.fixture
def legacy(request):
    with reused_database(request, "firebird") as found:
        yield found


@pytest.fixture
def own(request):
    """A database whose defaults a test may change."""
    with legacy_database(request, "firebird") as found:
        yield found


def fill(legacy, declared, words=WORDS):
    legacy.execute(f"CREATE TABLE written (w {declared}, id integer PRIMARY KEY)")
    for row in words:
        legacy.execute("INSERT INTO written VALUES (?, ?)", *row)


def read(legacy, **options):
    """Ids of the rows, in the order in which they came."""
    options = {"watermark_columns": ("w",), "key_columns": ("id",), "batch_rows": 2, **options}
    if "sql" not in options:
        options.setdefault("table", "written")
    with legacy.source(**options) as source:
        return [row[-1] for batch in source.open(None).batches for row in batch.rows]


def refused(legacy, **options):
    with pytest.raises(ConfigurationError, match=OTHER_WAY) as error:
        read(legacy, **options)
    return str(error.value)


@pytest.mark.parametrize(
    ("charset", "collation"),
    [("utf8", "unicode_ci"), ("utf8", "unicode_ci_ai"), ("iso8859_1", "es_es_ci_ai"), ("win1254", "pxw_turk")],
)
def test_a_watermark_that_is_sorted_in_another_way_than_compared_is_refused(legacy, charset, collation):
    fill(legacy, f"varchar(9) character set {charset} collate {collation}", WORDS[:1])
    message = refused(legacy)
    assert f"column 'w' of table 'written' has the collation {collation.upper()}" in message
    assert f"w COLLATE {charset.upper()} AS w" in message


def test_a_key_is_refused_and_a_column_that_is_only_sent_is_not(legacy):
    legacy.execute(
        "CREATE TABLE written (w varchar(9) character set utf8 collate unicode_ci, id integer, PRIMARY KEY (w))"
    )
    legacy.execute("INSERT INTO written VALUES ('a', 1)")
    assert "column 'w'" in refused(legacy, watermark_columns=("id",), key_columns=None)
    assert "column 'w'" in refused(legacy, watermark_columns=(), key_columns=None)
    assert read(legacy, watermark_columns=("id",)) == [1]
    assert read(legacy, watermark_columns=("id",), key_columns=()) == [1]


@pytest.mark.parametrize("declared", ["folded", "plain collate unicode_ci_ai"])
def test_the_collation_of_a_domain_counts_and_that_of_the_column_above_it(legacy, declared):
    legacy.execute("CREATE DOMAIN folded AS varchar(9) character set utf8 collate unicode_ci")
    legacy.execute("CREATE DOMAIN plain AS varchar(9) character set utf8")
    fill(legacy, declared, WORDS[:1])
    refused(legacy)


def test_a_domain_that_folds_is_read_where_the_column_does_not(legacy):
    legacy.execute("CREATE DOMAIN folded AS varchar(9) character set utf8 collate unicode_ci")
    fill(legacy, "folded collate utf8")
    assert sorted(read(legacy)) == list(range(8))


def test_a_default_collation_of_the_character_set_counts(own):
    own.execute("ALTER CHARACTER SET utf8 SET DEFAULT COLLATION unicode_ci")
    fill(own, "varchar(9)")
    refused(own)
    refused(own, sql="SELECT w, id FROM written")
    assert sorted(read(own, sql="SELECT w COLLATE utf8 AS w, id FROM written")) == list(range(8))


def test_a_collation_that_somebody_made_is_known_by_its_attributes(own):
    own.execute("CREATE COLLATION of_ours FOR utf8 FROM unicode CASE INSENSITIVE 'LOCALE=de_DE'")
    own.execute("CREATE COLLATION by_number FOR utf8 FROM unicode 'NUMERIC-SORT=1'")
    fill(own, "varchar(9) character set utf8 collate of_ours")
    assert "the collation OF_OURS" in refused(own)
    assert sorted(read(own, sql="SELECT w COLLATE by_number AS w, id FROM written")) == list(range(8))


def test_a_view_has_the_collation_of_what_it_selects(legacy):
    fill(legacy, "varchar(9) character set utf8")
    legacy.execute("CREATE VIEW shown (w, id) AS SELECT w COLLATE unicode_ci, id FROM written")
    legacy.execute("CREATE VIEW plain (w, id) AS SELECT w COLLATE unicode, id FROM written")
    refused(legacy, table="shown")
    assert sorted(read(legacy, table="plain")) == list(range(8))
    legacy.execute("DROP VIEW shown")
    legacy.execute("DROP VIEW plain")


def test_an_expression_of_a_query_has_a_collation_too(legacy):
    fill(legacy, "varchar(9) character set utf8 collate unicode_ci")
    for expression in ("w", "UPPER(w)", "w || ''", "(SELECT MAX(w) FROM written)"):
        assert "column 'w' of the query has" in refused(legacy, sql=f"SELECT {expression} AS w, id FROM written")
    assert sorted(read(legacy, sql="SELECT w COLLATE UTF8 AS w, id FROM written")) == list(range(8))


@pytest.mark.parametrize(
    ("charset", "collation"),
    [
        ("utf8", "unicode"),
        ("utf8", "ucs_basic"),
        ("iso8859_1", "pt_br"),
        ("win1252", "win_ptbr"),
        ("win1250", "win_cz"),
    ],
)
def test_a_collation_that_sorts_as_it_compares_loses_nothing(legacy, charset, collation):
    fill(legacy, f"varchar(9) character set {charset} collate {collation}")
    assert sorted(read(legacy)) == list(range(8))


def test_members_of_an_enum_are_refused_on_a_generic_connection_too(request):
    with reused_database(request, "mariadb-11.8") as legacy:
        legacy.execute("CREATE TABLE written (w enum('b', 'a') NOT NULL, id integer PRIMARY KEY)")
        url = legacy.url.set(drivername="mysql+mysqldb")
        with contextlib.closing(GenericDatabase(url, conn_id="crm", statement_timeout_seconds=30)) as database:
            source = QuerySource(database=database, stream="s", source="crm", table="written", watermark_columns=("w",))
            with pytest.raises(ConfigurationError, match=OTHER_WAY):
                source.open(None)
