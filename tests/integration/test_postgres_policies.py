"""Row-level security of PostgreSQL: what a policy hides is an error, or said to be left out where it is meant."""

from __future__ import annotations

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.sources.query import QuerySource
from tests.support.engines import of
from tests.support.legacy import legacy_database
from tests.support.outbox import Drain, create_outbox

KEYED = {"table": "tenants", "watermark_columns": ("id",)}


@pytest.fixture(params=of("postgresql"))
def legacy(request):
    with legacy_database(request, request.param) as found:
        found.execute("CREATE TABLE tenants (id integer PRIMARY KEY, tenant text) PARTITION BY RANGE (id)")
        found.execute("CREATE TABLE tenants_low PARTITION OF tenants FOR VALUES FROM (1) TO (5)")
        found.execute("CREATE TABLE tenants_high PARTITION OF tenants FOR VALUES FROM (5) TO (100)")
        found.execute(
            "INSERT INTO tenants SELECT n, CASE WHEN n % 2 = 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 10) AS n"
        )
        yield found


@pytest.fixture
def reader(legacy):
    name = f"{legacy.url.database}_reader"
    legacy.execute(f"CREATE ROLE {name} LOGIN")
    legacy.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
    legacy.execute(f"ALTER DEFAULT PRIVILEGES GRANT SELECT, DELETE ON TABLES TO {name}")
    yield name
    legacy.execute(f"DROP OWNED BY {name}")
    legacy.execute(f"DROP ROLE {name}")


def hide(legacy, table="tenants", shown="tenant = 'a'"):
    legacy.execute(f"CREATE POLICY own ON {table} USING ({shown}); ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")


def opened(legacy, user, row_security="fail", batch_rows=10_000, **asked):
    """The completeness of a run and the rows of its batches, while the database is open."""
    database = legacy.database(username=user, row_security=row_security)
    source = QuerySource(database=database, stream="s", source="crm", limits=Limits(batch_rows=batch_rows), **asked)
    try:
        found = source.open(None)
        yield found.horizon
        for batch in found.batches:
            yield [int(row[0]) for row in batch.rows]
    finally:
        database.close()


def delivered(*arguments, **asked):
    return [number for page in list(opened(*arguments, **asked))[1:] for number in page]


def refused(*arguments, **asked):
    with pytest.raises(ConfigurationError) as error:
        list(opened(*arguments, **asked))
    return str(error.value)


QUERIES = [
    KEYED,
    {"table": "tenants", "watermark_columns": ()},
    {"sql": "SELECT id, tenant FROM tenants WHERE tenant <> 'c'", "watermark_columns": ("id",), "key_columns": ("id",)},
]


@pytest.mark.parametrize("asked", QUERIES, ids=["table", "full load", "query"])
def test_a_policy_that_hides_rows_is_refused_with_both_remedies(legacy, reader, asked):
    hide(legacy)
    told = refused(legacy, reader, **asked)
    assert "hide rows of table 'tenants'" in told
    assert f"ALTER ROLE {reader} BYPASSRLS" in told
    assert "row_security='apply'" in told
    assert delivered(legacy, legacy.url.username, **asked) == list(range(1, 11))


@pytest.mark.parametrize("asked", QUERIES, ids=["table", "full load", "query"])
def test_a_policy_that_is_meant_decides_what_is_sent_and_completeness_says_so(legacy, reader, asked):
    hide(legacy)
    legacy.execute(f"ALTER ROLE {reader} SET row_security = off")
    horizon, *pages = opened(legacy, reader, row_security="apply", **asked)
    assert [number for page in pages for number in page] == [2, 4, 6, 8, 10]
    assert horizon.completeness == "best_effort"
    assert "which rows a policy of row-level security hides" in horizon.reason


@pytest.mark.parametrize("setting", ["on", "off"])
def test_what_the_role_sets_makes_no_difference(legacy, reader, setting):
    legacy.execute(f"ALTER ROLE {reader} SET row_security = {setting}")
    assert delivered(legacy, reader, **KEYED) == list(range(1, 11))
    hide(legacy)
    assert "hide rows" in refused(legacy, reader, **KEYED)


def test_without_a_policy_nothing_is_said_of_any(legacy, reader):
    for row_security in ("fail", "apply"):
        horizon, *_ = opened(legacy, reader, row_security=row_security, table="tenants", watermark_columns=())
        assert (horizon.completeness, "policy" in horizon.reason) == ("exact", False)


@pytest.mark.parametrize("all_rows", ["BYPASSRLS", "SUPERUSER"])
def test_who_sees_all_rows_is_not_asked(legacy, reader, all_rows):
    hide(legacy)
    legacy.execute(f"ALTER ROLE {reader} {all_rows}")
    assert delivered(legacy, reader, **KEYED) == list(range(1, 11))


def test_the_owner_is_asked_where_the_policy_is_forced_on_it(legacy, reader):
    hide(legacy)
    legacy.execute(f"ALTER TABLE tenants OWNER TO {reader}")
    assert delivered(legacy, reader, **KEYED) == list(range(1, 11))
    legacy.execute("ALTER TABLE tenants FORCE ROW LEVEL SECURITY")
    assert "hide rows of table 'tenants'" in refused(legacy, reader, **KEYED)


def test_a_view_is_read_with_the_rights_of_its_owner_or_of_the_one_who_asks(legacy, reader):
    hide(legacy)
    view = {"table": "seen", "watermark_columns": ("id",), "key_columns": ("id",)}
    legacy.execute("CREATE VIEW seen AS SELECT * FROM tenants")
    assert delivered(legacy, reader, **view) == list(range(1, 11))
    legacy.execute("ALTER VIEW seen SET (security_invoker = on)")
    assert "hide rows of table 'tenants'" in refused(legacy, reader, **view)


def test_a_policy_of_a_partition_counts_where_that_is_read(legacy, reader):
    hide(legacy, "tenants_low")
    assert delivered(legacy, reader, **KEYED) == list(range(1, 11))  # a parent's partitions are read by its policies
    assert "'tenants_low'" in refused(legacy, reader, **{**KEYED, "table": "tenants_low"})


@pytest.mark.parametrize("asked", QUERIES, ids=["table", "full load", "query"])
def test_a_policy_that_comes_in_the_middle_of_a_run_fails_its_next_page(legacy, reader, asked):
    if asked["watermark_columns"] == ():  # its transaction holds the table against ALTER TABLE
        legacy.execute("CREATE POLICY own ON tenants USING (tenant = 'a')")
        legacy.execute("ALTER TABLE tenants ENABLE ROW LEVEL SECURITY")
        legacy.execute(f"ALTER ROLE {reader} BYPASSRLS")
    reading = opened(legacy, reader, batch_rows=3, **asked)
    next(reading)
    assert next(reading) == [1, 2, 3]
    if asked["watermark_columns"] == ():
        legacy.execute(f"ALTER ROLE {reader} NOBYPASSRLS")
    else:
        hide(legacy)
    with pytest.raises(ConfigurationError, match="hide rows of table 'tenants'"):
        for _ in reading:
            pass


def test_an_outbox_whose_rows_a_policy_hides_is_refused_or_drained_as_far_as_it_shows(legacy, reader):
    create_outbox(legacy)
    legacy.execute(
        "INSERT INTO outbox (aggregatetype, aggregateid, type, payload)"
        " SELECT 'order', n, 'made', '{}' FROM generate_series(1, 4) AS n"
    )
    hide(legacy, "outbox", "aggregateid::integer % 2 = 0")
    legacy.execute(f"GRANT USAGE ON SCHEMA public TO {reader}")
    drain = Drain(legacy.url.set(username=reader), MemoryBroker())
    with pytest.raises(ConfigurationError, match="hide rows of table 'outbox'"):
        drain.run()
    assert not drain.broker.topic("outbox.event.order")

    drain.arguments = {"row_security": "apply"}
    report = drain.run()
    assert [message.key for message in drain.broker.topic("outbox.event.order")] == ["2", "4"]
    assert (report.completeness, "row-level security" in report.completeness_reason) == ("best_effort", True)
    assert legacy.execute("SELECT aggregateid FROM outbox ORDER BY id") == [("1",), ("3",)]
