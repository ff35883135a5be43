"""The trigger on real Variables and a SQLite source: what it fires for, what it never fires for."""

import asyncio
import contextlib
import datetime as dt
import json
import sqlite3
import uuid

import pytest

from airflow_legacy_events.errors import ConfigurationError, LegacyEventsError, SourceError, WatermarkError
from airflow_legacy_events.triggers.pending import PendingEventsTrigger, RefusedTriggerError
from airflow_legacy_events.watermarks import registration, variable
from tests.airflow import metadata
from tests.services.base import wait_until

NOW = dt.timedelta(milliseconds=20)


@pytest.fixture
def topic():
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
def waiting(shop, topic):
    """Returns a function that gives the trigger's arguments for the table `orders`."""

    def waiting(**changed):
        given = {"source_conn_id": "legacy_shop", "table": "orders", "watermark_columns": ["updated_at"]}
        return {**given, "topic": topic, "poll_interval": NOW, **changed}

    return waiting


def events(trigger, count, seconds=60):
    """The first `count` events of a trigger that is started, and ended, as a triggerer does."""

    async def collect():
        found = []
        try:
            async with asyncio.timeout(seconds):
                async for event in trigger.run():
                    found.append(event.payload)
                    if len(found) == count:
                        break
        finally:
            await trigger.cleanup()
        return found

    with metadata.as_task():
        return asyncio.run(collect())


def silent(trigger, looks=5):
    """Whether a trigger tells nothing in so many looks; counted, not timed."""

    class EnoughError(BaseException):
        """The trigger has looked often enough."""

    seen = []
    look = trigger._probe.look

    def counted():
        seen.append(look())
        if len(seen) == looks or seen[-1] is not None:
            raise EnoughError
        return seen[-1]

    trigger._probe.look = counted
    with pytest.raises(EnoughError):
        events(trigger, 1)
    return seen == [None] * looks


def deliver(stream_topic, **changed):
    """Deliver what is new by an operator with the same arguments."""
    arguments = {"source_conn_id": "legacy_shop", "table": "orders", "watermark_columns": ["updated_at"], **changed}
    words = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    dag_id = f"dag_{uuid.uuid4().hex[:12]}"
    text = f"""
import datetime
from airflow.sdk import DAG
from airflow_legacy_events.operators.query import IncrementalQueryOperator

with DAG({dag_id!r}, schedule=None):
    IncrementalQueryOperator(task_id="publish", topic={stream_topic!r}, topic_partitions=1, {words})
"""
    run = metadata.run_dag(text, dag_id)
    assert metadata.states(run) == {"publish": "success"}
    return metadata.pulled(run, "publish")


def test_it_tells_the_stream_how_many_rows_wait_and_where_the_operator_would_read_to(waiting, broker, topic):
    (told,) = events(PendingEventsTrigger(**waiting()), 1)

    report = deliver(topic)
    assert told == {"stream": report["stream"], "rows": 3, "bound": report["watermark_to"]}
    assert silent(PendingEventsTrigger(**waiting()))


def test_columns_that_the_operator_leaves_out_for_their_type_are_nothing_to_it(shop, waiting):
    file = shop.execute("PRAGMA database_list").fetchone()[2]
    metadata.put_connection(
        "legacy_gis", conn_type="generic", extra=json.dumps({"sqlalchemy_url": f"sqlite:///{file}"})
    )
    shop.execute("CREATE TABLE places (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, shape)")
    shop.execute("INSERT INTO places VALUES (1, 10, 'POINT(1 1)')")
    trigger = PendingEventsTrigger(**waiting(source_conn_id="legacy_gis", table="places", watermark_columns=["at"]))

    assert events(trigger, 1)[0]["bound"] == ["10", "1"]


def test_a_row_that_appears_late_in_the_overlap_fires_once(waiting, broker, topic, shop):
    overlap = {"overlap": dt.timedelta(days=1)}
    top = dt.datetime.fromisoformat(deliver(topic, **overlap)["watermark_to"][0])
    late = (top - dt.timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S")
    assert silent(PendingEventsTrigger(**waiting(**overlap)))
    shop.execute("INSERT INTO orders VALUES (8, 1, 'new', NULL, ?)", (late,))
    assert silent(PendingEventsTrigger(**waiting()))
    (told,) = events(PendingEventsTrigger(**waiting(**overlap)), 1)
    assert (told["rows"], told["bound"][-1]) == (1, "8")
    assert deliver(topic, **overlap)["rows"] == 1
    assert silent(PendingEventsTrigger(**waiting(**overlap)))


def test_rows_above_the_bound_of_the_operator_never_fire(waiting, broker, topic, shop):
    deliver(topic)
    later = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S")
    recent = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
    shop.execute("INSERT INTO orders VALUES (8, 1, 'new', NULL, ?)", (later,))
    assert silent(PendingEventsTrigger(**waiting()))
    assert deliver(topic)["rows"] == 0
    shop.execute("INSERT INTO orders VALUES (9, 1, 'new', NULL, ?)", (recent,))

    assert silent(PendingEventsTrigger(**waiting(lag=dt.timedelta(hours=2))))
    assert events(PendingEventsTrigger(**waiting()), 1)[0]["rows"] == 1


def test_the_same_rows_do_not_fire_again_within_the_cooldown_and_new_ones_do(waiting, shop):
    trigger = PendingEventsTrigger(**waiting(cooldown=dt.timedelta(hours=1)))
    events(trigger, 1)
    path, kwargs = trigger.serialize()
    assert path == "airflow_legacy_events.triggers.pending.PendingEventsTrigger"
    assert silent(PendingEventsTrigger(**kwargs)), "a triggerer that was restarted told it again"

    shop.execute("INSERT INTO orders VALUES (9, 1, 'new', NULL, '2026-11-03 08:00:00')")
    (told,) = events(PendingEventsTrigger(**kwargs), 1)
    assert told["rows"] == 4


def test_rows_that_nobody_delivers_fire_again_after_the_cooldown(waiting):
    first, second = events(PendingEventsTrigger(**waiting(cooldown=dt.timedelta(milliseconds=100))), 2)

    assert first == second


def test_two_who_wait_for_one_stream_are_both_told(waiting):
    assert events(PendingEventsTrigger(**waiting(waiter="one")), 1) == events(
        PendingEventsTrigger(**waiting(waiter="two")), 1
    )


def test_it_goes_on_after_its_source_was_away(waiting, shop, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("airflow_legacy_events.triggers.stream._LONGEST_WAIT_SECONDS", 0.01)
    file = tmp_path / "shop.db"
    away = file.rename(tmp_path / "away.db")
    trigger = PendingEventsTrigger(**waiting())
    look = trigger._probe.look
    failures = []

    def seen():
        try:
            return look()
        except LegacyEventsError as error:
            failures.append(error)
            if len(failures) == 3:
                away.rename(file)
            raise

    trigger._probe.look = seen
    (told,) = events(trigger, 1)

    assert told["rows"] == 3
    assert len(failures) == 3
    assert caplog.text.count("can't be checked") == 3


def test_behind_a_watcher_it_outlives_what_only_a_person_can_mend_and_a_deferred_task_fails_by_it(waiting, tmp_path):
    wrong = waiting(table="order")
    deferred = PendingEventsTrigger(**wrong)
    deferred.task_instance = type("TaskInstance", (), {"task_id": "wait", "dag_id": "d"})()
    with pytest.raises(ConfigurationError, match="'order' was given, but there is no table"):
        events(deferred, 1)

    watcher = PendingEventsTrigger(**wrong)
    look = watcher._probe.look

    def renamed_after_a_look():
        try:
            return look()
        except ConfigurationError:
            with contextlib.closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
                connection.execute("ALTER TABLE orders RENAME TO 'order'")
            raise

    watcher._probe.look = renamed_after_a_look
    assert events(watcher, 1)[0]["rows"] == 3


def test_a_lost_watermark_is_not_taken_for_a_new_stream(waiting, broker, topic):
    stream = deliver(topic)["stream"]
    metadata.drop_variable(variable.PREFIX + stream)
    trigger = PendingEventsTrigger(**waiting())

    with metadata.as_task(), pytest.raises(WatermarkError, match="it is lost"):
        trigger._probe.look()


def test_a_look_writes_nothing_when_nothing_is_pending(waiting, broker, topic):
    deliver(topic)
    before = metadata.variables()

    assert silent(PendingEventsTrigger(**waiting()))
    assert metadata.variables() == before
    assert registration.PREFIX + f"legacy_shop.orders@{topic}" in before


def test_a_look_registers_no_stream(waiting, broker, topic):
    key = registration.PREFIX + deliver(topic)["stream"]
    metadata.drop_variable(key)

    assert silent(PendingEventsTrigger(**waiting()))
    assert key not in metadata.variables()


def test_its_arguments_survive_the_metadata_database(waiting):
    from airflow.models.trigger import Trigger
    from airflow.serialization.decoders import smart_decode_trigger_kwargs

    delays = {"lag": dt.timedelta(seconds=2.5), "overlap": dt.timedelta(minutes=1)}
    trigger = PendingEventsTrigger(**waiting(key_columns=("id",), **delays, waiter="d.t"))
    kept = Trigger.from_object(trigger)
    decoded = {name: smart_decode_trigger_kwargs(value) for name, value in kept.kwargs.items()}

    assert kept.classpath == "airflow_legacy_events.triggers.pending.PendingEventsTrigger"
    given = waiting(key_columns=["id"], lag=2.5, poll_interval=0.02, waiter="d.t")
    assert {name: decoded[name] for name in given} == given
    assert PendingEventsTrigger(**decoded).serialize() == trigger.serialize()
    assert PendingEventsTrigger(**decoded).poll_interval == NOW


def test_its_arguments_are_plain_json_since_a_watcher_is_handed_nothing_else_on_every_airflow(waiting):
    _, kwargs = PendingEventsTrigger(**waiting(key_columns=("id",), cooldown=dt.timedelta(days=40))).serialize()

    assert json.loads(json.dumps(kwargs)) == kwargs
    assert silent(PendingEventsTrigger(**kwargs | {"lag": 10**9}))


@pytest.fixture
def orders(postgres_database):
    """A PostgreSQL behind the connection `legacy_pg`; returns a function that counts the sessions of others."""
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(postgres_database.dsn)
    metadata.put_connection(
        "legacy_pg",
        conn_type="postgres",
        host=parts["host"],
        port=int(parts["port"]),
        login=parts["user"],
        password=parts.get("password"),
        schema=postgres_database.name,
    )
    postgres_database.execute("CREATE TABLE orders (id integer PRIMARY KEY, updated_at timestamptz NOT NULL)")
    postgres_database.execute("INSERT INTO orders VALUES (1, '2026-11-01')")
    return postgres_database


SESSIONS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def sessions(database):
    return database.execute(f"SELECT count(*) {SESSIONS}")[0][0]


def test_all_who_wait_for_a_source_share_a_session_which_one_broken_query_does_not_end(waiting, orders):
    probes = [PendingEventsTrigger(**waiting(source_conn_id="legacy_pg", waiter=str(n)))._probe for n in range(20)]
    broken = PendingEventsTrigger(**waiting(source_conn_id="legacy_pg", table="nonsense"))._probe
    with metadata.as_task():
        assert [probe.look()["rows"] for probe in probes] == [1] * 20
        assert sessions(orders) == 1
        with pytest.raises(ConfigurationError):
            broken.look()
        assert [probe.look() for probe in probes] == [None] * 20
        assert sessions(orders) == 1
    for probe in probes:
        probe.end()
    wait_until(lambda: sessions(orders) == 0, "the end of the shared session")


def test_a_session_that_was_cut_costs_one_look(waiting, orders):
    given = waiting(source_conn_id="legacy_pg", cooldown=dt.timedelta(0))
    first, second = (PendingEventsTrigger(**given)._probe for _ in range(2))
    with metadata.as_task():
        assert first.look() == second.look()
        orders.execute(f"SELECT pg_terminate_backend(pid) {SESSIONS}")
        for probe in (first, second):
            with pytest.raises(SourceError, match="legacy_pg"):
                probe.look()
            assert probe.look()["rows"] == 1
        assert sessions(orders) == 1
    first.end()
    second.end()


@pytest.mark.parametrize(
    "changed", [{"watermark_columns": None}, {"watermark_columns": [7]}, {"key_columns": {"id": 1}}]
)
def test_a_list_of_names_that_is_none_is_refused_before_any_look(waiting, changed):
    with pytest.raises(RefusedTriggerError, match="must be a list of column names"):
        PendingEventsTrigger(**waiting(**changed))
