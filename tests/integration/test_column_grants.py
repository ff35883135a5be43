"""A user with grants on some columns reads those; what is missing is named, with the GRANT that gives it."""

from __future__ import annotations

import contextlib
import re

import pytest

from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.sources.query import QuerySource
from tests.support.legacy import legacy_database
from tests.support.readers import ENGINES, connecting


@pytest.fixture(params=ENGINES)
def legacy(request):
    with legacy_database(request, request.param) as found:
        found.execute("CREATE TABLE person (id integer PRIMARY KEY, email varchar(20), ssn varchar(20), age integer)")
        found.execute("INSERT INTO person VALUES (1, 'ann@x', '123', 30), (2, 'bob@x', '456', 40)")
        found.execute("CREATE TABLE many (id integer PRIMARY KEY, email varchar(20))")
        found.execute(f"INSERT INTO many VALUES {', '.join(f'({n}, NULL)' for n in range(1, 10))}")
        yield found


@pytest.fixture
def reader(legacy):
    with connecting(legacy) as made:
        yield made


def grant(reader, columns=(), table="person"):
    """A GRANT as an error spells it for this reader."""
    quote = "`" if reader.legacy.dialect == "mysql" else ""
    what = f" ({', '.join(quote + name + quote for name in columns)})" if columns else ""
    if reader.legacy.dialect == "mysql":
        return re.compile(
            rf"^GRANT SELECT{re.escape(what)} ON `{reader.legacy.url.database}`\.`{table}` TO '{reader.name}'@'.*'$",
            re.MULTILINE,
        )
    return re.compile(rf"^GRANT SELECT{re.escape(what)} ON public\.{table} TO {reader.name}$", re.MULTILINE)


@contextlib.contextmanager
def opened(reader, **options):
    """What a first run of the reader opens."""
    options = {"watermark_columns": ("id",), "table": None if "sql" in options else "person", **options}
    limits = Limits(batch_rows=options.pop("batch_rows", 10))
    database = reader.legacy.engine.made(reader.url, conn_id="crm", statement_timeout_seconds=30)
    with contextlib.closing(database):
        source = QuerySource(database=database, stream="s", source="crm", limits=limits, **options)
        yield source.open(None)


def read(reader, **options):
    """The rows as dictionaries of texts, and the run's horizon."""
    with opened(reader, **options) as found:
        batches = list(found.batches)
    names = found.horizon.shape.named(found.horizon.shape.data)
    return [dict(zip(names, map(str, row), strict=False)) for batch in batches for row in batch.rows], found.horizon


def refusal(reader, error=ConfigurationError, **options):
    with pytest.raises(error) as caught:
        read(reader, **options)
    return str(caught.value)


SOME = {"columns": ("id", "email")}
PEOPLE = [{"id": "1", "email": "ann@x"}, {"id": "2", "email": "bob@x"}]


def test_granted_columns_are_read(reader):
    may(reader, "id, email")
    for watermark_columns in (("id",), ("email", "id"), ()):
        rows, horizon = read(reader, watermark_columns=watermark_columns, **SOME)
        assert rows == PEOPLE
        assert "GRANT SELECT" not in horizon.reason


def prefix(reader):
    return "crm." if reader.legacy.dialect == "mysql" else ""


def may(reader, columns, table="person"):
    reader.may([f"GRANT SELECT{f' ({columns})' if columns else ''} ON {prefix(reader)}{table} TO reader"])


def test_columns_that_are_missing_are_named_and_never_left_out_unsaid(reader):
    may(reader, "id, email, age")
    told = refusal(reader)
    named = reader.legacy.dialect == "postgresql"
    assert grant(reader, ["ssn"] if named else []).search(told)
    assert "columns=['id', 'email', 'age']" in told or "column 'ssn'" in told
    rows, horizon = read(reader, exclude_columns=("ssn",))
    assert rows[0] == {"id": "1", "email": "ann@x", "age": "30"}
    assert ("GRANT SELECT ON" in horizon.reason) == (not named)


def test_fewer_excluded_columns_than_are_hidden_are_refused(reader):
    may(reader, "id, age")
    assert "GRANT SELECT" in refusal(reader, exclude_columns=("email",))
    assert read(reader, exclude_columns=("email", "ssn"))[0][0] == {"id": "1", "age": "30"}


def test_a_column_that_is_wanted_is_named_with_its_grant(reader):
    may(reader, "id, email")
    for argument in ("columns", "watermark_columns", "key_columns", "message_columns"):
        told = refusal(reader, **{**SOME, argument: ("ssn",)})
        assert "column 'ssn'" in told
        assert grant(reader, ["ssn"]).search(told)


def test_a_reader_of_the_key_alone_reads_it(reader):
    may(reader, "id")
    assert read(reader, columns=("id",))[0] == [{"id": "1"}, {"id": "2"}]


def test_a_key_that_is_not_granted_is_named(reader):
    may(reader, "email, age")
    told = refusal(reader, watermark_columns=("age",), columns=("email", "age"))
    assert grant(reader, ["id"]).search(told) or grant(reader).search(told)
    assert "id" in told or "key_columns=" in told


def test_a_table_of_which_nothing_is_granted_is_named_with_its_grant(reader):
    may(reader, "", "many")
    assert grant(reader).search(refusal(reader))


def test_a_user_who_may_not_even_enter_the_database_is_told_a_grant(reader):
    told = str(refusal(reader, LegacyEventsError))
    assert re.search(r"^GRANT SELECT ON .* TO ", told, re.MULTILINE)


def test_a_key_of_which_one_column_is_granted_never_passes_for_the_whole(reader):
    reader.legacy.execute("CREATE TABLE pair (id integer, tenant integer, at integer, PRIMARY KEY (id, tenant))")
    reader.legacy.execute("INSERT INTO pair VALUES (1, 1, 5), (1, 2, 5), (1, 3, 5)")
    may(reader, "id, at", "pair")
    told = refusal(reader, table="pair", columns=("id", "at"), watermark_columns=("at",))
    assert grant(reader, ["tenant"], "pair").search(told) or "key_columns=" in told
    told = refusal(
        reader, table="pair", columns=("id", "at"), watermark_columns=("at",), key_columns=("id",), batch_rows=2
    )
    assert "'id'" in told


def test_a_right_that_is_taken_away_between_two_runs_is_named(reader):
    may(reader, "id, email")
    assert read(reader, **SOME)[0] == PEOPLE
    reader.may_no_more(f"GRANT SELECT (email) ON {prefix(reader)}person TO reader")
    assert grant(reader, ["email"]).search(refusal(reader, **SOME))


def test_a_query_that_lacks_a_right_is_told_the_grant(reader):
    may(reader, "id, email")
    assert read(reader, sql="SELECT id, email FROM person", key_columns=("id",))[0] == PEOPLE
    told = refusal(reader, sql="SELECT id, ssn FROM person", key_columns=("id",))
    assert grant(reader, ["ssn"]).search(told)
    assert "GRANT SELECT" in refusal(reader, sql="SELECT * FROM person", key_columns=("id",))


def taken_away(reader, right):
    """What a run tells that loses a right after its first page."""
    with opened(reader, table="many", batch_rows=1, **SOME) as found:
        next(found.batches)
        reader.may_no_more(f"GRANT {right} ON {prefix(reader)}many TO reader")
        with pytest.raises(LegacyEventsError) as caught:
            list(found.batches)
    return str(caught.value)


def test_a_right_that_is_taken_away_in_the_middle_of_a_run_is_named(reader):
    may(reader, "id, email", "many")
    told = taken_away(reader, "SELECT (email)")
    assert "'email'" in told
    assert grant(reader, ["email"], "many").search(told)


def test_a_table_that_is_taken_away_in_the_middle_of_a_run_is_named(reader):
    may(reader, "", "many")
    assert grant(reader, table="many").search(taken_away(reader, "SELECT"))


def test_a_view_is_read_without_rights_below_it(reader):
    reader.legacy.execute("CREATE VIEW adults AS SELECT id, email FROM person")
    may(reader, "", "adults")
    assert read(reader, table="adults", key_columns=("id",))[0] == PEOPLE


def test_a_view_that_asks_for_the_rights_of_its_reader_names_the_table_below_it(reader):
    of_mysql, of_postgres = "SQL SECURITY INVOKER VIEW adults", "VIEW adults WITH (security_invoker)"
    view = of_mysql if reader.legacy.dialect == "mysql" else of_postgres
    reader.legacy.execute(f"CREATE {view} AS SELECT id, email FROM person")
    may(reader, "", "adults")
    if reader.legacy.dialect == "mysql":
        reader.may(["GRANT SHOW VIEW ON crm.adults TO reader"])
    assert grant(reader).search(refusal(reader, table="adults", key_columns=("id",)))
    may(reader, "")
    assert read(reader, table="adults", key_columns=("id",))[0] == PEOPLE


def test_columns_of_a_view_are_granted_one_by_one(reader):
    reader.legacy.execute("CREATE VIEW adults AS SELECT id, email, ssn FROM person")
    may(reader, "id, email", "adults")
    assert read(reader, table="adults", key_columns=("id",), **SOME)[0] == PEOPLE
    assert grant(reader, ["ssn"], "adults").search(
        refusal(reader, table="adults", key_columns=("id",), columns=("ssn",))
    )


def test_names_in_a_grant_are_quoted_where_they_need_it(reader):
    quoted = reader.legacy.quoted
    reader.legacy.execute(f"CREATE TABLE {quoted('the Table')} (id integer PRIMARY KEY, {quoted('A b')} integer)")
    reader.may([f"GRANT SELECT (id) ON {prefix(reader)}{quoted('the Table')} TO reader"])
    told = refusal(reader, table='"the Table"', columns=("id", "A b"))
    assert f"GRANT SELECT ({quoted('A b')}) ON" in told
    assert f".{quoted('the Table')} TO" in told
    assert read(reader, table='"the Table"', columns=("id",))[0] == []


def test_generated_columns_are_read_like_others(reader):
    reader.legacy.execute(
        "CREATE TABLE g (id integer PRIMARY KEY, twice integer GENERATED ALWAYS AS (id * 2) STORED, x integer)"
    )
    reader.legacy.execute("INSERT INTO g (id) VALUES (4)")
    may(reader, "id, twice", "g")
    assert read(reader, table="g", columns=("id", "twice"))[0] == [{"id": "4", "twice": "8"}]
