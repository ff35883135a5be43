"""Every example runs as it stands, on a legacy database and a real broker."""

import ast
import json
import runpy

import pytest
import sqlalchemy as sa

from tests.airflow import metadata
from tests.airflow.logs import logged
from tests.airflow.waiting import Outbox, Running

EXAMPLES = metadata.EXAMPLES


def example(name):
    return metadata.run_file(EXAMPLES / f"{name}.py", name)


@pytest.fixture(autouse=True)
def _new_streams(shop, broker):
    for key in metadata.variables():
        if "legacy_events." in key:
            metadata.drop_variable(key)


def test_these_are_the_examples_and_each_fits_a_screen():
    assert sorted(path.stem for path in EXAMPLES.glob("*.py")) == [
        "auto_increment_id",
        "backfill_and_replay",
        "bulk",
        "change_log",
        "change_log_mariadb",
        "connector_failed",
        "connector_snapshot",
        "connectors",
        "custom_query",
        "many_tables",
        "outbox",
        "outbox_at_once",
        "run_on_rows",
        "shaped_messages",
        "table_to_table",
        "timestamp_and_id",
        "wait_for_rows",
    ]
    for path in EXAMPLES.glob("*.py"):
        assert len(path.read_text().splitlines()) <= 25
        ast.parse(path.read_text())


def test_they_load_without_errors():
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(EXAMPLES))

    assert bag.import_errors == {}
    assert len(bag.dags) == 18


def test_shaped_messages_say_in_their_headers_what_their_rows_hold(broker, shop):
    ended = example("shaped_messages")

    assert metadata.states(ended) == {"publish_orders": "success"}
    for message in broker.read("legacy.orders.shaped"):
        status = shop.execute("SELECT status FROM orders WHERE id = ?", (message.event["data"]["id"],)).fetchone()[0]
        assert message.event["type"] == f"orders.{status}"
        assert message.event["subject"] == f"order-{message.event['data']['id']}"
        assert message.headers[-2:] == (("tenant", "acme"), ("status", status))


def test_a_table_goes_over_a_topic_to_a_table_of_another_database(broker, shop, warehouse):
    file = EXAMPLES / "table_to_table.py"
    sent = metadata.run_file(file, "orders_to_topic")
    applied = metadata.run_file(file, "topic_to_orders")

    assert metadata.pulled(applied, "apply_orders")["rows"] == metadata.pulled(sent, "publish_orders")["events"]
    query = "SELECT id, customer_id, status FROM orders ORDER BY id"
    assert warehouse.execute(query).fetchall() == shop.execute(query).fetchall()
    ((_, _, aliases),) = metadata.asset_events(applied)
    assert aliases == ["legacy-events:warehouse.orders"]


def test_bulk_sends_the_table_with_every_run(broker, shop):
    first = example("bulk")
    shop.execute("UPDATE prices SET price = 300 WHERE sku = 'B2'")
    second = example("bulk")

    assert metadata.pulled(first, "publish_prices")["completeness"] == "exact"
    assert metadata.pulled(second, "publish_prices")["events"] == 2
    sent = [json.loads(one.value) for one in broker.read("legacy.prices")]
    assert sent[-4:] == [
        {"sku": "A1", "price": 100},
        {"sku": "B2", "price": 200},
        {"sku": "A1", "price": 100},
        {"sku": "B2", "price": 300},
    ]


def test_auto_increment_id_sends_new_rows_without_what_is_excluded(broker, shop):
    example("auto_increment_id")
    shop.execute("INSERT INTO audit_log (what, session_token) VALUES ('login', 'z')")
    second = example("auto_increment_id")

    assert metadata.pulled(second, "publish_audit_log")["events"] == 1
    events = [one.event for one in broker.read("legacy.audit_log")]
    assert sorted((event["op"], event["data"]["id"], event["data"]["what"]) for event in events) == [
        ("c", 1, "login"),
        ("c", 2, "logout"),
        ("c", 3, "login"),
    ]
    assert all(set(event["data"]) == {"id", "what"} for event in events)


def test_timestamp_and_id_sends_new_and_changed_rows(broker, shop):
    example("timestamp_and_id")
    shop.execute("UPDATE orders SET status = 'sent', updated_at = '2026-11-05 08:00:00' WHERE id = 2")
    second = example("timestamp_and_id")

    report = metadata.pulled(second, "publish_orders")
    assert report["stream"] == "legacy_crm.orders@legacy.orders"
    assert report["events"] == 1
    events = [one.event for one in broker.read("legacy.orders")]
    assert sorted((event["data"]["id"], event["data"]["status"]) for event in events) == [
        (1, "new"),
        (2, "paid"),
        (2, "sent"),
        (3, "new"),
    ]


def test_custom_query_joins(broker):
    run = example("custom_query")

    report = metadata.pulled(run, "publish_orders")
    assert report["stream"] == "legacy_crm.custom_query.publish_orders@legacy.orders_with_customer"
    events = [one.event for one in broker.read("legacy.orders_with_customer")]
    assert sorted((one["data"]["id"], one["data"]["customer"]) for one in events) == [
        (1, "Ann"),
        (2, "Bob"),
        (3, "Ann"),
    ]


def test_wait_for_rows_sends_what_the_sensor_saw(broker):
    run = example("wait_for_rows")

    assert metadata.states(run) == {"wait": "success", "publish_audit_log": "success"}
    assert metadata.pulled(run, "wait")["bound"] == metadata.pulled(run, "publish_audit_log")["watermark_to"]


def test_run_on_rows_sends_what_its_trigger_saw(broker):
    run = example("run_on_rows")

    assert metadata.pulled(run, "publish_orders")["events"] == 3


def test_backfill_and_replay_sends_a_day_again(broker):
    live = example("backfill_and_replay")
    form = {"replay_from": "2026-11-01T00:00:00Z", "replay_to": "2026-11-02T00:00:00Z"}
    replay = metadata.run_file(EXAMPLES / "backfill_and_replay.py", "backfill_and_replay", run_conf=form)

    assert metadata.pulled(live, "publish_orders")["mode"] == "live"
    assert metadata.pulled(replay, "publish_orders")["window"] == {
        "from": "2026-11-01T00:00:00Z",
        "to": "2026-11-02T00:00:00Z",
    }
    sent = [one.event for one in broker.read("legacy.orders.by_day")]
    assert sorted((one["data"]["id"], one["op"]) for one in sent) == [
        (1, "r"),
        (1, "u"),
        (2, "r"),
        (2, "u"),
        (3, "u"),
    ]


def test_many_tables_are_a_stream_each(broker):
    run = example("many_tables")

    assert set(metadata.states(run).values()) == {"success"}
    sent = {table: len(broker.read(f"legacy.shop.{table}")) for table in ("orders", "prices", "audit_log")}
    assert sent == {"orders": 3, "prices": 2, "audit_log": 2}


def test_change_log_sends_every_change_of_two_tables_to_a_topic_each(broker, postgres18_logs):
    with logged(postgres18_logs, broker, "legacy_orders") as crm:
        crm.execute("CREATE TABLE orders (id int PRIMARY KEY, status text)")
        crm.execute("CREATE TABLE customers (id int PRIMARY KEY, name text, ssn text)")
        crm.execute("INSERT INTO customers VALUES (1, 'Ann', '123-45')")
        first = example("change_log")
        crm.execute("INSERT INTO orders VALUES (1, 'new'); DELETE FROM customers")
        second = example("change_log")

    assert metadata.states(first) == metadata.states(second) == {"drain": "success", "slots": "success"}
    sent = {table: [one.event for one in broker.read(f"legacy.cdc.{table}")] for table in ("orders", "customers")}
    assert [(one["op"], one["data"]) for one in sent["orders"][-1:]] == [("c", {"id": 1, "status": "new"})]
    assert [(one["op"], one["data"]) for one in sent["customers"][-2:]] == [
        ("r", {"id": 1, "name": "Ann"}),
        ("d", {"id": 1}),
    ]


@pytest.fixture
def webshop(mariadb_logs):
    """A database `shop` on MariaDB, behind a connection of its own."""
    url = sa.make_url(mariadb_logs.url("shop"))
    fields = {"host": url.host, "port": url.port, "login": url.username, "password": url.password, "schema": "shop"}
    metadata.put_connection("legacy_webshop", conn_type="mysql", **fields)
    mariadb_logs.execute("CREATE DATABASE shop")
    yield lambda statement: mariadb_logs.execute(statement, "shop")
    mariadb_logs.execute("DROP DATABASE shop")


def test_change_log_mariadb_sends_every_change_as_maxwell_does(broker, webshop):
    webshop("CREATE TABLE orders (id int PRIMARY KEY, status text)")
    webshop("CREATE TABLE customers (id int PRIMARY KEY, name text, ssn text)")
    webshop("INSERT INTO customers VALUES (1, 'Ann', '123-45')")
    first = example("change_log_mariadb")
    webshop("INSERT INTO orders VALUES (1, 'new'); UPDATE customers SET name = 'Anna'; DELETE FROM customers")
    second = example("change_log_mariadb")

    assert metadata.states(first) == metadata.states(second) == {"drain": "success"}
    report = metadata.pulled(second, "drain")
    assert (report["stream"], report["completeness"]) == ("legacy_webshop.change_log_mariadb.drain@log", "exact")
    order = [one.event for one in broker.read("legacy.maxwell.orders") if one.event["type"] == "insert"][-1]
    assert (order["database"], order["data"]) == ("shop", {"id": 1, "status": "new"})
    customers = [one.event for one in broker.read("legacy.maxwell.customers")]
    assert [(one["type"], one["data"], one.get("old")) for one in customers if one["data"]][-3:] == [
        ("bootstrap-insert", {"id": 1, "name": "Ann"}, None),
        ("update", {"id": 1, "name": "Anna"}, {"name": "Ann"}),
        ("delete", {"id": 1, "name": "Anna"}, None),
    ]
    marks = [one["type"] for one in customers if not one["data"]]
    times = marks.count("bootstrap-start")
    assert sorted(marks) == ["bootstrap-complete"] * times + ["bootstrap-start"] * times
    assert times >= 3


def test_outbox_publishes_what_the_application_wrote_and_empties_the_table(broker, shop):
    run = example("outbox")

    report = metadata.pulled(run, "drain")
    assert report["topics"] == {"crm.event.order": 2, "crm.event.customer": 1}
    assert report["backlog"]["rows"] == shop.execute("SELECT count(*) FROM outbox").fetchone()[0] == 0
    sent = broker.read("crm.event.order")
    assert [(one.key, one.value, one.headers) for one in sent] == [
        ("1", '{"total": 12.50}', (("id", "1"), ("eventType", "OrderPlaced"))),
        ("1", None, (("id", "3"), ("eventType", "OrderDeleted"))),
    ]


def test_outbox_at_once_drains_what_a_notification_tells_of_and_the_next_run_what_came_meanwhile(
    broker, postgres_database
):
    outbox = Outbox(postgres_database, "legacy_crm", channel="order_outbox", table="order_outbox")
    watcher = runpy.run_path(str(EXAMPLES / "outbox_at_once.py"))["rows"]
    with Running(watcher.trigger) as running:
        running.begun()
        outbox.add(1)
        running.hears(1)
    outbox.add(2)
    first = example("outbox_at_once")
    outbox.add(3)
    with Running(type(watcher.trigger)(**watcher.trigger.serialize()[1])) as again:
        again.hears(3)
    second = example("outbox_at_once")

    assert [metadata.pulled(run, "drain")["rows"] for run in (first, second)] == [2, 1]
    sent = broker.read("crm.order.placed")
    assert [one.headers for one in sent[-3:]] == [(("id", "1"),), (("id", "2"),), (("id", "3"),)]
