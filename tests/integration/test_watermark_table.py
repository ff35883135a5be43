"""Watermarks in a table: compared and set, made where that is allowed, and wide enough."""

import json
import logging
import threading
import traceback

import pytest

from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.errors import WatermarkError
from airflow_legacy_events.streams import stores
from airflow_legacy_events.streams.stores import open_store
from tests.support.engines import of
from tests.support.legacy import legacy_database
from tests.support.stores import table

STREAM = "crm.orders@legacy.orders"
EMPTY = Watermark(None, None, {"topic": "legacy.orders"})
FIRST = Watermark(("2026-11-23 09:15:02.123456+00", "42"), None, EMPTY.facts)


def test_of_many_writers_at_once_to_a_table_one_wins_each_step(tmp_path):
    """Only a table compares and sets; the others rest on the stream's lock."""
    place = table(f"sqlite:///{tmp_path}/watermarks.db")
    place.open().save(STREAM, EMPTY, expected=None)
    won = []

    def write(number):
        store = place.open()
        for step in range(5):
            try:
                mark = store.load(STREAM)
                store.save(STREAM, Watermark((str(number), str(step)), None, {}), expected=mark)
                won.append((mark, (str(number), str(step))))
            except WatermarkError:
                continue

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    befores = [mark.values for mark, _ in won]
    assert len(befores) == len(set(befores)), "two writers replaced one and the same watermark"
    assert place.open().load(STREAM).values in {after for _, after in won}


def test_a_table_that_may_not_be_made_says_by_which_statement(tmp_path):
    import sqlalchemy as sa

    from airflow_legacy_events.watermarks.table import TableWatermarkStore

    (tmp_path / "watermarks.db").touch()
    engine = sa.create_engine(f"sqlite:///file:{tmp_path}/watermarks.db?mode=ro&uri=true")
    store = TableWatermarkStore(engine, "crm")

    assert store.load(STREAM) is None
    with pytest.raises(
        WatermarkError, match=r"can't be created over connection 'crm'.*CREATE TABLE legacy_events_waterm"
    ):
        store.save(STREAM, EMPTY, expected=None)


def test_a_table_that_is_too_narrow_says_how_it_is_made_wider(mariadb_database):
    mariadb_database.execute(
        "CREATE TABLE legacy_events_watermarks (id varchar(64) PRIMARY KEY, stream text NOT NULL,"
        " watermark text NOT NULL, revision bigint NOT NULL, saved_at varchar(32) NOT NULL)"
    )
    store, wide = table(mariadb_database.url).open(), Watermark(("x" * 70_000,), None, {})
    store.save(STREAM, FIRST, expected=None)

    with pytest.raises(WatermarkError, match=r"does not fit into table .*: ALTER TABLE ") as refused:
        store.save(STREAM, wide, expected=FIRST)
    assert not refused.value.retry_helps
    mariadb_database.execute(str(refused.value)[str(refused.value).index("ALTER TABLE") :])
    store.save(STREAM, wide, expected=FIRST)
    assert store.load(STREAM) == wide


REFUSING = {
    "sqlite": """CREATE TRIGGER refused BEFORE UPDATE ON legacy_events_watermarks
        BEGIN SELECT json_extract('{}', NEW.watermark); END""",
    "postgresql": "ALTER TABLE legacy_events_watermarks ADD CONSTRAINT refused CHECK (watermark NOT LIKE '%planted%')",
    "mysql": """CREATE TRIGGER refused BEFORE UPDATE ON legacy_events_watermarks FOR EACH ROW
        BEGIN DECLARE x integer; SET x = NEW.watermark; END""",
}


@pytest.mark.parametrize("engine", of(*REFUSING))
def test_an_update_that_is_refused_shows_no_parameter_and_no_row(request, engine, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    with legacy_database(request, engine) as legacy:
        port, query = legacy.url.port, dict(legacy.url.query)
        kind = {"postgresql": "postgres"}.get(legacy.dialect, legacy.dialect)
        place = (
            {"host": str(legacy.url.database)} if kind == "sqlite" else {"host": legacy.url.host or query.pop("host")}
        )
        words = {
            "login": legacy.url.username,
            "password": legacy.url.password,
            "schema": legacy.url.database,
            "port": port,
        }
        kept = {"conn_type": kind, **place, **({} if kind == "sqlite" else words)}
        monkeypatch.setenv("AIRFLOW_CONN_KEPT", json.dumps(kept))
        store = open_store("table:kept")
        store.save(STREAM, EMPTY, expected=None)
        if kind == "mysql":
            legacy.execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES'")  # which the trigger keeps
        legacy.execute(REFUSING[legacy.dialect])

        with pytest.raises(WatermarkError, match=r"could not be reached while saving|does not fit") as refused:
            store.save(STREAM, Watermark(("planted",), None, {}), expected=EMPTY)

    shown = "".join([*traceback.format_exception(refused.value), caplog.text])
    assert "planted" not in shown.replace('Watermark(("planted",)', "")
    assert "[parameters:" not in shown


def test_its_sessions_have_our_name(postgres_database, monkeypatch):
    import sqlalchemy as sa

    url = postgres_database.url.replace("postgresql+psycopg", "postgres")
    for given, name in (("", "legacy-events"), ("?application_name=crm", "legacy-events crm")):
        monkeypatch.setenv("AIRFLOW_CONN_WATERMARKS", url + given)
        with stores.engine_of("watermarks").connect() as session:
            assert session.scalar(sa.text("SELECT current_setting('application_name')")) == name
