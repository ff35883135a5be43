"""Types of PostgreSQL that need more than a look at their name."""

import pytest

from airflow_legacy_events.core.columns import Elements, Kind
from airflow_legacy_events.core.errors import ConfigurationError, SourceError
from airflow_legacy_events.databases.postgres.types import find_types
from tests.support.engines import of
from tests.support.legacy import legacy_database


@pytest.fixture(params=of("postgresql", also=("postgresql-15",)))
def legacy(request):
    with legacy_database(request, request.param) as found:
        yield found


def columns(legacy, sql):
    database = legacy.database()
    try:
        found = database.reflect(None, sql)
        return {column.name: column for column in found.columns}, dict(found.refused)
    finally:
        database.close()


def test_a_domain_is_what_it_is_over_and_arrays_say_what_they_hold(legacy):
    legacy.execute("CREATE DOMAIN price AS numeric(10, 2)")
    legacy.execute("CREATE DOMAIN prices AS price[]")
    sql = "SELECT 1::price a, '{1}'::price[] b, '{}'::prices[] c, '{}'::box[] d, '{}'::int8[] e, '{}'::prices f"
    found, refused = columns(legacy, sql)
    assert refused == {}
    assert {name: column.kind for name, column in found.items()} == {
        "a": Kind.DECIMAL,
        **dict.fromkeys("bcdef", Kind.ARRAY),
    }
    assert found["b"].elements == Elements(Kind.DECIMAL)
    assert found["c"].elements == Elements(Kind.ARRAY, ",", Elements(Kind.DECIMAL))
    assert found["d"].elements == Elements(Kind.TEXT, ";")
    assert found["e"].elements == Elements(Kind.INTEGER)
    assert found["f"].elements == Elements(Kind.DECIMAL)
    assert [found[name].type for name in "bcde"] == ["price[]", "prices[]", "box[]", "int8[]"]


def test_rows_without_a_name_are_their_text(legacy):
    with legacy.source(sql="SELECT 1 id, ROW(1, 'a b') one, ARRAY[ROW(1, NULL)] more", key_columns=("id",)) as source:
        batch, *_ = source.open(None).batches
    assert batch.rows == [("1", '(1,"a b")', '{"(1,)"}')]
    assert [column.kind for column in batch.shape.columns] == [Kind.INTEGER, Kind.TEXT, Kind.ARRAY]


@pytest.mark.parametrize(
    ("expression", "type_"),
    [
        ("(SELECT stavalues1 FROM pg_statistic LIMIT 1)", "anyarray"),
        ("(SELECT adbin FROM pg_attrdef LIMIT 1)", "pg_node_tree"),
    ],
)
def test_what_cannot_be_carried_is_refused_before_any_row_with_a_cast_that_works(legacy, expression, type_):
    sql = f"SELECT 1 AS id, {expression} AS odd"
    with (
        legacy.source(sql=sql, key_columns=("id",)) as source,
        pytest.raises(ConfigurationError, match=rf"'odd' \({type_}\); nothing was read.*CAST\(odd AS text\) AS odd"),
    ):
        source.open(None)
    cast = f"SELECT id, CAST(odd AS text) AS odd FROM ({sql}) s"
    with legacy.source(sql=cast, key_columns=("id",)) as source:
        assert next(batch.count for batch in source.open(None).batches) == 1


def test_money_is_read_in_one_form_whatever_the_server_writes(legacy):
    with legacy.source(sql="SELECT 1 AS id, '-1234567.89'::money AS price", key_columns=("id",)) as source:
        batch, *_ = source.open(None).batches
    assert batch.rows == [("1", "-$1,234,567.89")]
    assert batch.shape.columns[1].kind is Kind.MONEY


class Yen:
    """A session of a server that keeps money in whole units, whose locale a test can't install."""

    def __init__(self, session):
        self.session, self.statements = session, []

    def execute(self, statement, *parameters):
        self.statements.append(statement)
        if "pg_catalog.scale(" in statement:
            statement = "SELECT 0"
        return self.session.execute(statement, *parameters)


def test_money_that_is_not_in_hundredths_is_refused_with_the_cast_that_is_exact(legacy):
    session = Yen(legacy.connection)
    oids = [oid for (oid,) in legacy.execute("SELECT unnest(ARRAY['money'::regtype, 'money[]'::regtype])::int8")]
    found = find_types(session, oids)
    assert [one.kind for one in found.values()] == [None, None]
    assert "CAST(… AS numeric)" in found[oids[0]].name
    assert not any("SET lc_monetary" in statement for statement in session.statements)


def test_the_common_types_need_no_look_at_the_catalog(legacy):
    session = Yen(legacy.connection)
    oids = [oid for (oid,) in legacy.execute("SELECT unnest('{int8,text,numeric,timestamptz,jsonb}'::regtype[])::int8")]
    assert all(one.kind for one in find_types(session, oids).values())
    assert session.statements == []


@pytest.mark.parametrize("type_", ["ltree", "int4range", "inet", "mood", "text[]", "interval", "bit(3)"])
def test_any_ordered_type_can_be_a_watermark(legacy, type_):
    legacy.execute("CREATE EXTENSION ltree; CREATE TYPE mood AS ENUM ('b', 'a')")
    values = {
        "ltree": ("a", "a.b", "b"),
        "int4range": ("[1,2)", "[1,3)", "[2,3)"),
        "inet": ("10.0.0.1", "10.0.0.2/8", "::1"),
        "mood": ("b", "a", "a"),
        "text[]": ("{a}", '{a,"b c"}', "{b}"),
        "interval": ("-1 day", "00:00:01", "1 mon"),
        "bit(3)": ("001", "010", "111"),
    }[type_]
    legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, at {type_} NOT NULL)")
    for number, value in enumerate(values):
        legacy.execute("INSERT INTO t VALUES (%s, %s)", number, value)
    expected = [str(number) for (number,) in legacy.execute("SELECT id FROM t ORDER BY at, id")]
    with legacy.source(watermark_columns=("at",), batch_rows=1) as source:
        assert [row[0] for batch in source.open(None).batches for row in batch.rows] == expected


def test_a_type_without_an_order_is_no_watermark(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, at point NOT NULL)")
    with (
        legacy.source(watermark_columns=("at",)) as source,
        pytest.raises((SourceError, ConfigurationError), match="order"),
    ):
        source.open(None)
