"""What a drain looks at before its first read, on every database: each fault in one error, and what it warns of."""

from __future__ import annotations

import logging

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from tests.support import outbox_tables
from tests.support.engines import EACH, NEW_MYSQL, of
from tests.support.legacy import reused_database, unquoted
from tests.support.outbox_tables import BOOLEAN, LOG, MOMENT, create, drain, insert, left, numbers

MARK = {"after_publish": "mark"}


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


@pytest.fixture
def logged(caplog):
    caplog.set_level(logging.WARNING, logger=LOG)
    return caplog


def only(*dialects, also=()):
    """The tests of these dialects alone."""
    return pytest.mark.parametrize("legacy", of(*dialects, also=also), indirect=True)


def fault(legacy, **options):
    """The error of a run that must not read."""
    with outbox_tables.source(legacy, **options) as one, pytest.raises(ConfigurationError) as found:
        one.open(None)
    return str(found.value)


def warnings(logged):
    """What was warned of since the last call."""
    found = [record.getMessage() for record in logged.records if record.levelno == logging.WARNING]
    logged.clear()
    return found


def test_every_fault_is_in_one_error(legacy):
    create(legacy)
    told = fault(
        legacy,
        **MARK,
        columns={"event_type": "kind", "timestamp": "at_time"},
        where="nothing = 1",
        source_timezone="Nowhere",
    )
    for part in ("'event_type': 'kind'", "'timestamp': 'at_time'", "correct where=", "'published_at'", "Nowhere"):
        assert part in told


def test_a_table_that_can_t_be_drained_says_why(legacy):
    assert "no table" in fault(legacy, table="nothing")
    legacy.execute("CREATE TABLE keyless (id integer, aggregatetype varchar(9), aggregateid varchar(9), payload text)")
    told = fault(legacy, table="keyless", columns={"event_type": None})
    assert "alter table keyless add primary key (id)" in unquoted(told)
    create(legacy, number="varchar(36) NOT NULL PRIMARY KEY", at=None, name="orderless")
    assert "nothing gives the rows of table 'orderless' an order" in fault(legacy, table="orderless")
    create(legacy, name="fine")
    legacy.execute("CREATE VIEW seen AS SELECT * FROM fine")
    assert "table='seen' is a view" in fault(legacy, table="seen")
    assert "neither a time nor a number of milliseconds" in fault(legacy, table="fine", columns={"timestamp": "type"})
    assert "has no column 'nix'" in fault(legacy, table="fine", message_names=("nix", "id"))
    assert "name 'headers', but table 'fine' has no such column" in fault(
        legacy, table="fine", message_names=("headers",)
    )
    assert "'seq'" in fault(legacy, table="fine", order_columns=("seq",))


@only("postgresql")
def test_a_type_that_can_t_be_carried_is_refused_only_where_it_is_needed(legacy):
    create(legacy, "odd gtsvector")
    insert(legacy, {})
    assert "'odd' (gtsvector)" in fault(legacy, columns={"headers": "odd"})
    assert numbers(drain(legacy)[0]) == [1]


def test_rows_that_others_refer_to_can_be_marked_and_not_deleted(legacy):
    create(legacy, f"published_at {MOMENT[legacy.dialect]}")
    legacy.execute("CREATE TABLE note (id integer PRIMARY KEY, ref bigint, FOREIGN KEY (ref) REFERENCES outbox (id))")
    insert(legacy, {})
    told = fault(legacy)
    assert "that others refer to: foreign key" in told
    assert "of note (ref)" in told
    assert numbers(drain(legacy, **MARK)[0]) == [1]
    legacy.execute("DROP TABLE note")


@only("sqlite", "mysql", also=("mysql-5.6",))
def test_ids_that_come_back_are_refused_with_delete(legacy):
    number = "integer PRIMARY KEY" if legacy.dialect == "sqlite" else "bigint AUTO_INCREMENT PRIMARY KEY"
    create(legacy, "published_at datetime", number=number)
    insert(legacy, {})
    if legacy.dialect == "sqlite" or "ids that are kept" in legacy.engine.lacks:
        assert "after_publish='delete' is not safe for table 'outbox'" in fault(legacy)
        assert left(legacy) == [1]
    assert numbers(drain(legacy, **MARK)[0]) == [1]


def advised(logged):
    return [text.partition("CREATE INDEX")[2] for text in warnings(logged) if "no index of table" in text]


@pytest.mark.parametrize("mark", ["time", "boolean", "number", "text", None])
@pytest.mark.parametrize("ids", ["numbers", "uuids"])
def test_the_index_that_is_advised_works_and_ends_the_advice(legacy, logged, mark, ids):
    types = {"time": MOMENT[legacy.dialect], "boolean": BOOLEAN[legacy.dialect], "number": "integer"}
    values = {"number": (0, 1), "text": ("it's", "x")}.get(mark)
    number = None if ids == "numbers" else "varchar(36) NOT NULL PRIMARY KEY"
    create(legacy, f"{legacy.quoted('sentAt')} {types.get(mark, 'varchar(9)')}", number=number)
    options = {} if mark is None else {**MARK, "mark_column": "sentAt", "mark_values": values}
    with outbox_tables.source(legacy, **options) as one:
        one.open(None)
    told = advised(logged)
    if mark is None and ids == "numbers":
        assert told == []
        return

    [statement] = told
    legacy.execute(f"CREATE INDEX{statement}")
    with outbox_tables.source(legacy, **options) as one:
        one.open(None)

    assert advised(logged) == []


@only("postgresql")
@pytest.mark.parametrize("nullable", [True, False])
def test_the_index_for_a_boolean_mark_is_used(legacy, logged, nullable):
    create(legacy, f"sent boolean {'' if nullable else 'NOT NULL DEFAULT false'}")
    legacy.execute(
        "INSERT INTO outbox (aggregatetype, aggregateid, payload, sent) SELECT 'a', n::text, 'x', n % 1000 <> 0"
        " FROM generate_series(1, 20000) AS g (n)"
    )
    with outbox_tables.source(legacy, **MARK, mark_column="sent") as one:
        one.open(None)
        legacy.execute(f"CREATE INDEX{advised(logged)[0]}")
        legacy.execute("ANALYZE outbox")
        condition = one.check().table.marking.open.compile(compile_kwargs={"literal_binds": True})
    plan = legacy.execute(f"EXPLAIN SELECT id FROM outbox WHERE {condition} ORDER BY id LIMIT 100")
    assert "Index" in str(plan)
    assert "outbox_open" in str(plan)
    assert "Filter" not in str(plan)


TRIGGER = {
    "sqlite": "CREATE TRIGGER noted AFTER DELETE ON outbox BEGIN INSERT INTO log VALUES (1); END",
    "postgresql": "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';"
    " CREATE TRIGGER noted BEFORE DELETE ON outbox FOR EACH ROW EXECUTE FUNCTION note()",
    "mysql": "CREATE TRIGGER noted AFTER DELETE ON outbox FOR EACH ROW INSERT INTO log VALUES (1)",
    "firebird": "CREATE TRIGGER noted FOR outbox AFTER DELETE AS BEGIN INSERT INTO log VALUES (1); END",
}


def test_what_a_delete_sets_off_is_warned_of(legacy, logged):
    create(legacy, f"published_at {MOMENT[legacy.dialect]}")
    legacy.execute("CREATE TABLE log (id integer)")
    legacy.execute(TRIGGER[legacy.dialect])
    insert(legacy, {})
    drain(legacy, **MARK)
    assert not [text for text in warnings(logged) if "has further effects" in text]
    insert(legacy, {})
    drain(legacy)
    [told] = [text for text in warnings(logged) if "has further effects" in text]
    assert told.lower().startswith("deleting a row of table 'outbox' has further effects: trigger noted")


def churn(legacy, number, end="commit"):
    """Transactions that insert a row and delete it again, or are rolled back."""
    for _ in range(number):
        legacy.execute("BEGIN")
        insert(legacy, {})
        if end == "commit":
            legacy.execute("DELETE FROM outbox")
        legacy.execute(end)


@only("postgresql", "mysql", also=("postgresql-15",))
def test_an_application_that_deletes_its_own_rows_is_told(legacy, logged):
    """A server without counters, as MariaDB is by default, tells nothing."""
    create(legacy)
    insert(legacy, *({} for _ in range(100)))
    _, mark = drain(legacy)
    flushed(legacy)
    _, mark = drain(legacy, mark)
    churn(legacy, 20, "rollback")
    insert(legacy, {}, {})
    flushed(legacy)
    _, mark = drain(legacy, mark)
    flushed(legacy)
    _, mark = drain(legacy, mark)
    assert not [text for text in warnings(logged) if "leaves nothing to drain" in text]

    churn(legacy, 100)
    flushed(legacy)
    with outbox_tables.source(legacy) as one:
        counted = one.open(mark).horizon.facts["churn"]

    told = [text for text in warnings(logged) if "leaves nothing to drain" in text]
    counts = legacy.dialect == "postgresql" or legacy.engine.name in NEW_MYSQL
    assert (counted is not None) == counts
    assert len(told) == counts
    assert not told or "since the last run 100 rows were inserted and 100 deleted" in told[0]


def flushed(legacy):
    """Let the statistics of a session that goes on be seen."""
    if legacy.dialect == "postgresql":
        legacy.execute("SELECT pg_stat_force_next_flush()")
        legacy.execute("SELECT 1")


def test_equal_times_of_one_aggregate_are_told_once(legacy, logged):
    create(legacy, number="varchar(9) NOT NULL PRIMARY KEY")
    insert(legacy, *({"id": f"r{at}", "aggregateid": f"{at}", "created_at": "2026-11-01 08:00:00"} for at in range(4)))
    _, mark = drain(legacy)
    assert not [text for text in warnings(logged) if "the same time and unordered ids" in text]

    insert(legacy, *({"id": f"s{at}", "created_at": "2026-11-01 08:00:00", "aggregateid": "x"} for at in range(4)))
    drain(legacy, mark, batch_rows=1)

    [told] = [text for text in warnings(logged) if "the same time and unordered ids" in text]
    assert "order_columns" in told


def test_a_row_without_a_time_is_refused_in_words_of_the_outbox(legacy):
    create(legacy, number="varchar(9) NOT NULL PRIMARY KEY")
    insert(legacy, {"id": "a"})
    told = fault(legacy)
    assert "'created_at' of table 'outbox'" in told
    assert "null_watermark" not in told
    assert "order_columns=" in told
