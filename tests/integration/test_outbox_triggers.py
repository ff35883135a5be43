"""`airflow legacy-events outbox trigger`: an application that stays as it is fills an outbox, on every database."""

import pytest

from tests.support.engines import of
from tests.support.outbox_commands import CONN_ID, application_on

ORDERS = (
    "CREATE TABLE orders (id integer PRIMARY KEY NOT NULL, name varchar(40), total decimal(20, 4), secret varchar(9))"
)
CHOSEN = "id,name,total"
ENGINES_WITH_JSON = tuple(name for name in of("postgresql", "mysql", "sqlite") if name != "mysql-5.6")


@pytest.fixture(params=ENGINES_WITH_JSON)
def application(request, capsys):
    with application_on(request, capsys, request.param) as found:
        yield found


@pytest.fixture
def shop(application):
    application.make_outbox()
    application.run(ORDERS)
    application.install("orders", CHOSEN)
    return application


def total(application, digits):
    """A decimal as it is in a payload; SQLite keeps a number."""
    return float(digits) if application.legacy.dialect == "sqlite" else digits


def test_every_write_is_one_event_with_the_chosen_columns(shop):
    shop.run("INSERT INTO orders VALUES (1, 'Ann', 19.9000, 'x'), (2, NULL, NULL, 'x')")
    shop.run("UPDATE orders SET name = 'Bob' WHERE id = 1")
    shop.run("DELETE FROM orders WHERE id = 2")

    paid = total(shop, "19.9000")
    assert shop.events() == [
        ("created", "1", {"id": 1, "name": "Ann", "total": paid}),
        ("created", "2", {"id": 2, "name": None, "total": None}),
        ("updated", "1", {"id": 1, "name": "Bob", "total": paid}),
        ("deleted", "2", {"id": 2, "name": None, "total": None}),
    ]
    assert shop.run("SELECT DISTINCT aggregatetype FROM outbox") == [("orders",)]


def test_what_is_rolled_back_is_no_event(shop):
    for statement in ("BEGIN", "INSERT INTO orders (id) VALUES (1)", "ROLLBACK", "DELETE FROM orders"):
        shop.run(statement)
    assert shop.events() == []


def test_an_update_of_the_key_deletes_under_the_old_one_and_creates_under_the_new_one(shop):
    shop.run("INSERT INTO orders (id, name) VALUES (1, 'Ann')")
    shop.run("UPDATE orders SET id = 7")
    assert shop.events()[1:] == [
        ("deleted", "1", {"id": 1, "name": "Ann", "total": None}),
        ("created", "7", {"id": 7, "name": "Ann", "total": None}),
    ]


def test_a_key_that_changes_its_case_alone_is_another_key(application):
    application.make_outbox()
    collation = {"sqlite": "COLLATE NOCASE"}.get(application.legacy.dialect, "")
    application.run(f"CREATE TABLE codes (code varchar(9) {collation} PRIMARY KEY NOT NULL)")
    application.install("codes", "code")
    application.run("INSERT INTO codes VALUES ('a')")
    application.run("UPDATE codes SET code = 'A'")
    assert [(type_, key) for type_, key, _ in application.events()] == [
        ("created", "a"),
        ("deleted", "a"),
        ("created", "A"),
    ]


@pytest.mark.parametrize(("option", "keys"), [([], ['["1","x\\"ü, y"]']), (["--key", "note"], ['x"ü, y'])])
def test_several_key_columns_are_a_json_array_and_one_is_its_text(application, option, keys):
    application.make_outbox()
    application.run(
        "CREATE TABLE order_lines (order_id integer NOT NULL, note varchar(20) NOT NULL, PRIMARY KEY (order_id, note))"
    )
    application.install("order_lines", "order_id", "--aggregate-type", "it's a line", *option)
    application.run("INSERT INTO order_lines VALUES (1, 'x\"ü, y')")
    assert [key for _, key, _ in application.events()] == keys
    assert application.run("SELECT aggregatetype FROM outbox") == [("it's a line",)]


def test_text_arrives_as_it_was_written(shop):
    text = "'\"\\ \x01\t\n ü \u2028 😀 </script> {0} %s :x"
    mark = "?" if shop.legacy.dialect == "sqlite" else "%s"
    shop.run(f"INSERT INTO orders (id, name) VALUES (1, {mark})", text)
    assert shop.events() == [("created", "1", {"id": 1, "name": text, "total": None})]


def test_odd_names_and_words_of_sql_are_only_names(application):
    table, outbox = "Order \"x'\\y %s {0} :z; $outbox$", 'Out "box'
    columns = ("Primary", "a\"b'c\\d %s {1} :e", "select", "chosen", "ü, `x`")
    quote = application.legacy.quoted
    application.make_outbox("--table", '"' + outbox.replace('"', '""') + '"')
    defined = ", ".join(f"{quote(name)} varchar(9)" for name in columns[1:])
    application.run(f"CREATE TABLE {quote(table)} ({quote(columns[0])} integer PRIMARY KEY NOT NULL, {defined})")
    listed = ",".join('"' + name.replace('"', '""') + '"' for name in columns)
    arguments = '"' + table.replace('"', '""') + '"', listed, "--outbox", '"' + outbox.replace('"', '""') + '"'
    application.install(*arguments)

    assert application.check(*arguments)[0] == ""
    application.run(f"INSERT INTO {quote(table)} VALUES (1, 'a', 'b', 'c', 'd')")
    application.run(f"ALTER TABLE {quote(outbox)} RENAME TO outbox")
    assert application.events() == [("created", "1", dict(zip(columns, (1, "a", "b", "c", "d"), strict=True)))]
    assert application.run("SELECT aggregatetype FROM outbox") == [(table,)]


def test_names_with_dots_are_those_that_the_catalog_has(application):
    table, outbox, quote = "order.lines", "out.box", application.legacy.quoted
    application.make_outbox("--table", quote(outbox))
    application.run(f"CREATE TABLE {quote(table)} (id integer PRIMARY KEY NOT NULL)")
    for written, filled in ((table, outbox), (quote(table), quote(outbox))):
        application.install(written, "id", "--outbox", filled)
        assert application.check(written, "id", "--outbox", filled)[0] == ""
    application.run(f"INSERT INTO {quote(table)} VALUES (1)")
    assert application.run(f"SELECT aggregatetype FROM {quote(outbox)}") == [(table,)]


def test_names_at_the_limit_are_cut_and_stay_distinct(application):
    application.make_outbox()
    longest = 63
    names = [f"{'o' * (longest - 1)}{end}" for end in "ab"]
    for name in names:
        application.run(f"CREATE TABLE {name} (id integer PRIMARY KEY NOT NULL)")
        application.install(name, "id")
    for name in names:
        assert application.check(name, "id")[0] == ""
        application.run(f"INSERT INTO {name} VALUES (1)")
    assert application.run("SELECT DISTINCT aggregatetype FROM outbox ORDER BY 1") == [(one,) for one in names]


def test_a_table_with_more_columns_than_a_function_takes_arguments(application):
    names = [f"c{number}" for number in range(150)]
    application.make_outbox()
    application.run(f"CREATE TABLE wide (id integer PRIMARY KEY NOT NULL, {' integer, '.join(names)} integer)")
    application.install("wide", ",".join(names))
    application.run(f"INSERT INTO wide VALUES (1, {', '.join(map(str, range(150)))})")
    assert application.events() == [("created", "1", {name: number for number, name in enumerate(names)})]


def test_printing_anew_replaces_what_is_there(shop):
    shop.install("orders", "id")
    shop.run("INSERT INTO orders (id) VALUES (1)")
    assert shop.events() == [("created", "1", {"id": 1})]
    assert "up to date" in shop.trigger("orders", "id", "--check")


def test_check_finds_triggers_that_do_something_else(shop):
    assert shop.trigger("orders", CHOSEN, "--check") == "the triggers of table 'orders' are up to date\n"
    ended, _ = shop.check("orders", "id,name")
    assert "problems with the triggers of table 'orders'" in ended
    assert shop.check("orders", CHOSEN, "--aggregate-type", "order")[0]
    assert shop.check("orders", CHOSEN, "--key", "id")[0] == ""


def findings(application, *arguments):
    ended, told = application.check(*arguments)
    assert ended
    return told


def test_check_finds_what_a_renamed_column_left_behind(shop):
    shop.run("ALTER TABLE orders RENAME COLUMN name TO customer")
    assert "no column 'name'" in findings(shop, "orders", CHOSEN)
    assert "differs from" in findings(shop, "orders", "id,customer,total")

    shop.install("orders", "id,customer,total")
    assert shop.check("orders", "id,customer,total")[0] == ""
    shop.run("INSERT INTO orders (id, customer) VALUES (1, 'Ann')")
    assert shop.events() == [("created", "1", {"id": 1, "customer": "Ann", "total": None})]


def test_check_finds_what_a_renamed_table_left_behind(shop):
    shop.run("ALTER TABLE orders RENAME TO purchases")
    assert "there is no table" in shop.check("orders", CHOSEN)[0]
    told = findings(shop, "purchases", CHOSEN)
    assert "fills the outbox too" in told
    assert "is missing" in told

    shop.install("purchases", CHOSEN)
    assert shop.check("purchases", CHOSEN)[0] == ""
    shop.run("INSERT INTO purchases (id) VALUES (1)")
    assert len(shop.events()) == 1


def test_check_finds_an_outbox_that_is_gone_or_another_one(shop):
    shop.run("ALTER TABLE outbox RENAME TO old")
    assert "there is no outbox" in findings(shop, "orders", CHOSEN)
    shop.run(
        "CREATE TABLE outbox (id integer PRIMARY KEY, aggregatetype varchar(9), aggregateid varchar(9), type integer)"
    )
    assert "has no column 'payload'" in findings(shop, "orders", CHOSEN)


def test_triggers_for_an_outbox_that_is_not_there_say_so(application):
    application.run(ORDERS)
    script = application.trigger("orders", CHOSEN)
    assert "-- Attention: there is no outbox" in script
    application.make_outbox()
    application.run(script)
    application.run("INSERT INTO orders (id) VALUES (1)")
    assert [type_ for type_, *_ in application.events()] == ["created"]


REFUSED = [
    ("outbox", "id", [], "is the outbox itself"),
    ("nope", "id", [], "there is no table"),
    ("orders", "id,nope", [], "has no column 'nope'; it has id, name, total, secret"),
    ("orders", "", [], "names no column"),
    ("orders", "id,,name", [], "names no column, or an empty one"),
    ("orders", "id", ["--key", "nope"], "has no column 'nope'"),
    ("orders", "id", ["--key", "name"], "may be NULL"),
    ("orders", "id", ["--aggregate-type", ""], "--aggregate-type takes"),
    ("bag", "a", [], "name the key columns with --key"),
    ("seen", "id", ["--key", "id"], "it is "),
]


def test_what_triggers_cannot_do_is_refused(application):
    application.make_outbox()
    application.run(ORDERS)
    application.run("CREATE TABLE bag (a integer)")
    application.run("CREATE VIEW seen AS SELECT * FROM orders")
    for table, columns, options, told in REFUSED:
        with pytest.raises(SystemExit, match="ConfigurationError") as ended:
            application.trigger(table, columns, *options)
        assert told in str(ended.value)


def test_a_unique_index_serves_where_there_is_no_primary_key(application):
    application.make_outbox()
    application.run("CREATE TABLE pairs (a integer NOT NULL, b integer NOT NULL, c integer, UNIQUE (c), UNIQUE (a, b))")
    application.install("pairs", "c")
    application.run("INSERT INTO pairs VALUES (1, 2, NULL)")
    assert application.events() == [("created", '["1","2"]', {"c": None})]


def test_the_connection_has_to_be_one_that_is_known(application):
    with pytest.raises(SystemExit, match="was not found"):
        application.call("trigger", "orders", "--source-conn-id", f"{CONN_ID}_2", "--columns", "id")


def own_trigger(application, name, table):
    """A trigger that the application itself has."""
    if application.legacy.dialect == "postgresql":
        application.run("CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
        application.run(f"CREATE TRIGGER {name} AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION own()")
    elif application.mysql:
        application.run(f"CREATE TRIGGER {name} AFTER INSERT ON {table} FOR EACH ROW SET @own = 1")
    else:
        application.run(f"CREATE TRIGGER {name} AFTER INSERT ON {table} BEGIN SELECT 1; END")


def test_a_trigger_of_the_application_is_neither_replaced_nor_dropped(application):
    name = "orders_outbox" if application.legacy.dialect == "postgresql" else "orders_outbox_created"
    application.make_outbox()
    application.run(ORDERS)
    own_trigger(application, name, "orders")
    with pytest.raises(SystemExit, match=f"would replace a trigger '{name}'"):
        application.trigger("orders", "id")
    application.run(f"DROP TRIGGER {name}" + (" ON orders" if application.legacy.dialect == "postgresql" else ""))
    assert "CREATE TRIGGER" in application.trigger("orders", "id")


def test_a_new_table_does_not_take_the_triggers_of_the_one_that_had_its_name(shop):
    shop.run("ALTER TABLE orders RENAME TO purchases")
    shop.run(ORDERS)
    with pytest.raises(SystemExit, match="would replace"):
        shop.trigger("orders", CHOSEN)
    shop.install("purchases", CHOSEN)
    shop.install("orders", CHOSEN)
    shop.run("INSERT INTO purchases (id) VALUES (1)")
    shop.run("INSERT INTO orders (id) VALUES (2)")
    assert [key for _, key, _ in shop.events()] == ["1", "2"]
