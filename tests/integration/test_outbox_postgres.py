"""Triggers for an outbox on PostgreSQL: values, rights, replication, TRUNCATE, NOTIFY."""

import psycopg
import pytest

from tests.support.engines import of
from tests.support.outbox_commands import application_on

ORDERS = "CREATE TABLE orders (id bigint PRIMARY KEY, name text)"


@pytest.fixture(params=of("postgresql"))
def application(request, capsys):
    with application_on(request, capsys, request.param) as found:
        yield found


@pytest.fixture
def shop(application):
    application.make_outbox()
    application.run(ORDERS)
    return application


def payload(application):
    [(_, _, found)] = application.events()
    return found


VALUES = {
    "big": ("bigint", "9223372036854775807", 9223372036854775807),
    "n": ("numeric(40, 10)", "123456789012345678901234567890.0123456789", "123456789012345678901234567890.0123456789"),
    "nan": ("numeric", "'NaN'", "NaN"),
    "d": ("double precision", "0.1::float8 + 0.2", 0.30000000000000004),
    "inf": ("double precision", "'-Infinity'", "-Infinity"),
    "dnan": ("real", "'NaN'", "NaN"),
    "r": ("real", "0.1", 0.1),
    "yes": ("boolean", "true", True),
    "b": (
        "bytea",
        r"'\x00ff10' || convert_to(repeat('long', 50), 'UTF8')",
        "AP8Q" + "bG9uZ2xvbmdsb25n" * 16 + "bG9uZ2xvbmc=",
    ),
    "at": ("timestamptz", "'2026-03-29 03:30:00.123456+02'", "2026-03-29T01:30:00.123456+00:00"),
    "never": ("timestamptz", "'infinity'", "infinity"),
    "local": ("timestamp(3)", "'2026-03-29 02:30:00.5'", "2026-03-29T02:30:00.5"),
    "day": ("date", "'2026-02-28'", "2026-02-28"),
    "tm": ("time", "'12:30'", "12:30:00"),
    "span": ("interval", "'1 day -2 hours'", "1 day -02:00:00"),
    "doc": ("json", """'{"b" : 1.10, "a":[1]}'""", {"b": 1.10, "a": [1]}),
    "docb": ("jsonb", """'{"b" : 1.10}'""", {"b": 1.10}),
    "list": ("text[]", """ARRAY['a"b', NULL, 'ü']""", ['a"b', None, "ü"]),
    "u": ("uuid", "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
    "c": ("char(5)", "'ab'", "ab   "),
    "range": ("daterange", "'[2026-01-01,2026-02-01)'", "[2026-01-01,2026-02-01)"),
    "mood": ("mood", "'sad'", "sad"),
    "pair": ("pair", "ROW(1, 'x')", "(1,x)"),
    "cash": ("money", "1234.56", "1234.56"),
    "bits": ("bit(4)", "'0101'", "0101"),
    "nothing": ("text", "NULL", None),
}


@pytest.mark.parametrize("application", of("postgresql", also=["postgresql-15"]), indirect=True)
def test_values_are_exact_whatever_the_session_shows(shop):
    shop.run("CREATE TYPE mood AS ENUM ('sad'); CREATE TYPE pair AS (a int, b text)")
    shop.run(
        f"CREATE TABLE t (id int PRIMARY KEY, {', '.join(f'{name} {type_}' for name, (type_, *_) in VALUES.items())})"
    )
    shop.install("t", ",".join(VALUES))
    shop.run(
        "SET TimeZone = 'America/New_York'; SET DateStyle = 'SQL, DMY'; SET extra_float_digits = -10;"
        " SET bytea_output = 'escape'; SET IntervalStyle = 'iso_8601'"
    )
    shop.run(f"INSERT INTO t VALUES (1, {', '.join(text for _, text, _ in VALUES.values())})")
    assert payload(shop) == {name: value for name, (*_, value) in VALUES.items()}


def test_json_and_numbers_keep_their_digits_and_blanks(shop):
    shop.run("CREATE TABLE t (id int PRIMARY KEY, doc json)")
    shop.install("t", "id,doc")
    shop.run("""INSERT INTO t VALUES (1, '{"b" : 1.10,  "a":[1]}')""")
    assert shop.run("SELECT payload::text FROM outbox") == [('{"id":1,"doc":{"b" : 1.10,  "a":[1]}}',)]


@pytest.mark.parametrize(
    ("type_", "value", "key"),
    [
        ("timestamptz", "'2026-03-29 03:30:00+02'", "2026-03-29T01:30:00+00:00"),
        ("bytea", r"'\x00ff10'", "AP8Q"),
        ("numeric", "1.50", "1.50"),
        ("uuid", "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
        ("date", "'2026-02-28'", "2026-02-28"),
        ("char(3)", "'a'", "a  "),
    ],
)
def test_keys_of_any_type_are_their_text(shop, type_, value, key):
    shop.run(f"CREATE TABLE t (k {type_} PRIMARY KEY, v int)")
    shop.install("t", "v")
    shop.run("SET TimeZone = 'America/New_York'; SET DateStyle = 'SQL, DMY'")
    shop.run(f"INSERT INTO t VALUES ({value}, 1)")
    shop.run("UPDATE t SET v = 2")
    assert [(type_, found) for type_, found, _ in shop.events()] == [("created", key), ("updated", key)]


def test_a_role_without_rights_on_the_outbox_writes_its_own_table(shop):
    shop.install("orders", "id,name")
    role = f"clerk_{shop.legacy.url.database}"
    shop.run(
        f"CREATE ROLE {role}; GRANT USAGE ON SCHEMA public TO {role};"
        f" GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON orders TO {role}"
    )
    try:
        shop.run(f"SET ROLE {role}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            shop.run("SELECT * FROM outbox")
        shop.run("CREATE TEMP TABLE outbox (LIKE orders)")  # no name of a session's own stands for the outbox
        shop.run("INSERT INTO orders VALUES (1, 'Ann'); UPDATE orders SET id = 2; DELETE FROM orders; TRUNCATE orders")
        shop.run("RESET ROLE; DROP TABLE pg_temp.outbox")
        assert [type_ for type_, *_ in shop.events()] == ["created", "deleted", "created", "deleted", "truncated"]
        [(may,)] = shop.run(f"SELECT has_function_privilege('{role}', 'orders_outbox()', 'EXECUTE')")
        assert may is False
    finally:
        shop.run(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}")


def test_truncate_is_one_event_without_values(shop):
    shop.install("orders", "id,name", "--aggregate-type", "order")
    shop.run("INSERT INTO orders VALUES (1, 'Ann'), (2, 'Bob')")
    shop.run("TRUNCATE orders")
    assert shop.events()[2:] == [("truncated", "orders", {})]


def test_always_fires_for_rows_that_replication_applies(shop):
    shop.install("orders", "id")
    applied = shop.connect()
    shop.run("SET session_replication_role = replica", connection=applied)
    shop.run("INSERT INTO orders VALUES (1, 'Ann')", connection=applied)
    assert shop.events() == []
    assert shop.check("orders", "id", "--always")[0]

    shop.install("orders", "id", "--always")
    assert shop.check("orders", "id", "--always")[0] == ""
    assert shop.check("orders", "id")[0]
    shop.run("UPDATE orders SET name = 'Bob'; TRUNCATE orders", connection=applied)
    applied.close()
    assert [type_ for type_, *_ in shop.events()] == ["updated", "truncated"]


def test_notify_wakes_who_listens(shop):
    script = shop.trigger("orders", "id", "--notify", "new's")
    assert "-- NOTIFY takes one lock of the whole server at every commit" in script
    shop.run(script)
    with shop.connect() as listener:
        listener.execute('LISTEN "new\'s"')
        shop.run("INSERT INTO orders VALUES (1, 'Ann'), (2, 'Bob')")
        assert [one.channel for one in listener.notifies(timeout=30, stop_after=1)] == ["new's"]


def test_without_notify_a_transaction_can_be_prepared_and_with_it_not(shop):
    shop.install("orders", "id")
    shop.run("BEGIN; INSERT INTO orders VALUES (1, 'Ann')")
    shop.run(f"PREPARE TRANSACTION '{shop.legacy.url.database}'")
    shop.run(f"COMMIT PREPARED '{shop.legacy.url.database}'")
    assert len(shop.events()) == 1
    assert "pg_notify" not in shop.trigger("orders", "id")

    shop.install("orders", "id", "--notify", "news")
    shop.run("BEGIN; INSERT INTO orders VALUES (2, 'Ann')")
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="NOTIFY"):
        shop.run(f"PREPARE TRANSACTION '{shop.legacy.url.database}'")


def test_check_finds_a_function_whose_owner_may_not_write_the_outbox(shop):
    role = f"owner_{shop.legacy.url.database}"
    shop.install("orders", "id")
    shop.run(f"CREATE ROLE {role}; ALTER FUNCTION orders_outbox() OWNER TO {role}")
    try:
        assert "the owner of its function may not INSERT into the outbox" in shop.check("orders", "id")[1]
        shop.run(f"GRANT INSERT ON outbox TO {role}")
        assert shop.check("orders", "id")[0] == ""
    finally:
        shop.run(f"REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_reader_without_rights_on_the_outbox_prints_the_same(shop):
    role, printed = f"reader_{shop.legacy.url.database}", shop.trigger("orders", "id,name")
    shop.run(f"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA public TO {role}; GRANT SELECT ON orders TO {role}")
    try:
        with shop.connected_as(role, ""):
            assert shop.trigger("orders", "id,name") == printed
            shop.run(printed)
            assert shop.check("orders", "id,name")[0] == ""
    finally:
        shop.run(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize("channel", ["", "x" * 64])
def test_a_channel_that_none_can_have_is_refused(shop, channel):
    with pytest.raises(SystemExit, match="a channel has 1 to 63 bytes"):
        shop.trigger("orders", "id", "--notify", channel)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("ALTER TABLE orders DISABLE TRIGGER orders_outbox", "is disabled"),
        ("ALTER TABLE orders ENABLE REPLICA TRIGGER orders_outbox", "fires for replicated rows only"),
        ("DROP TRIGGER orders_outbox_truncate ON orders", "'orders_outbox_truncate' is missing"),
        ("ALTER FUNCTION orders_outbox() SECURITY INVOKER", "differs from what would be printed today"),
        ("ALTER FUNCTION orders_outbox() RESET search_path", "differs from what would be printed today"),
    ],
)
def test_check_finds_what_was_changed_by_hand(shop, change, told):
    shop.install("orders", "id")
    shop.run(change)
    assert told in shop.check("orders", "id")[1]
    shop.install("orders", "id")
    assert shop.check("orders", "id")[0] == ""


def test_tables_of_other_schemas_are_found_and_named_whole(shop):
    shop.run('CREATE SCHEMA sales; CREATE SCHEMA app; CREATE TABLE sales."Orders" (id int PRIMARY KEY)')
    shop.make_outbox("--table", "app.outbox")
    shop.install("sales.Orders", "id", "--outbox", "app.outbox")
    assert shop.check("sales.Orders", "id", "--outbox", "app.outbox")[0] == ""
    shop.run('SET search_path = pg_catalog; INSERT INTO sales."Orders" VALUES (1)')
    assert shop.run("SELECT aggregatetype, aggregateid FROM app.outbox") == [("Orders", "1")]


@pytest.mark.parametrize("application", of("postgresql", also=["postgresql-15"]), indirect=True)
def test_a_partitioned_table_serves_its_partitions_which_are_refused(shop):
    shop.run("CREATE TABLE parts (id int PRIMARY KEY, v int) PARTITION BY RANGE (id)")
    shop.run("CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (10)")
    shop.run("CREATE TABLE high PARTITION OF parts FOR VALUES FROM (10) TO (20)")
    shop.install("parts", "id,v", "--always")
    assert shop.check("parts", "id,v", "--always")[0] == ""
    shop.run("INSERT INTO parts VALUES (1, 1); UPDATE low SET v = 2; UPDATE parts SET id = 11")
    assert [(type_, key) for type_, key, _ in shop.events()] == [
        ("created", "1"),
        ("updated", "1"),
        ("deleted", "1"),
        ("created", "11"),
    ]
    with pytest.raises(SystemExit, match="is a partition of another table"):
        shop.trigger("low", "id")


def test_rows_of_heirs_are_named(shop):
    shop.run("CREATE TABLE heirs () INHERITS (orders)")
    assert "-- Rows of the tables that inherit from it fire no trigger of it: heirs." in shop.trigger("orders", "id")


def test_a_column_that_a_trigger_cannot_see_is_refused(request, capsys):
    with application_on(request, capsys, "postgresql-18") as application:
        application.make_outbox()
        application.run(
            "CREATE TABLE t (id int PRIMARY KEY, s int GENERATED ALWAYS AS (id * 3) STORED, v int"
            " GENERATED ALWAYS AS (id * 2) VIRTUAL)"
        )
        with pytest.raises(SystemExit, match="'v' of table 't' is generated when it is read"):
            application.trigger("t", "id,v")
        application.install("t", "id,s")
        application.run("INSERT INTO t VALUES (4)")
        assert payload(application) == {"id": 4, "s": 12}
