"""`airflow legacy-events outbox ddl`: what it prints is what the database takes."""

import re

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from tests.services.base import wait_until
from tests.support.engines import of
from tests.support.outbox import Drain
from tests.support.outbox_commands import application_on

PAYLOAD = '{"b" : 1.10, "a":[1,2],  "ä":"\\u00e4"}'
PENDING = {
    "postgresql": "SELECT indexdef FROM pg_indexes WHERE indexname = 'outbox_pending'",
    "sqlite": "SELECT sql FROM sqlite_master WHERE name = 'outbox_pending'",
    "mysql": "SELECT group_concat(column_name ORDER BY seq_in_index) FROM information_schema.statistics"
    " WHERE table_schema = DATABASE() AND index_name = 'outbox_pending'",
}


@pytest.fixture(params=[name for name in of("postgresql", "mysql", "sqlite") if name != "mysql-5.6"])
def application(request, capsys):
    with application_on(request, capsys, request.param) as found:
        yield found


def write(application, payload):
    mark = "?" if application.legacy.dialect == "sqlite" else "%s"
    application.run(
        f"INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES ('order', '42', 'paid', {mark})",
        payload,
    )


def test_a_row_gets_its_id_and_time_and_keeps_its_payload_byte_for_byte(application):
    application.make_outbox()
    write(application, PAYLOAD)
    write(application, "{}")

    text = "payload::text" if application.legacy.dialect == "postgresql" else "payload"
    rows = application.run(f"SELECT id, {text}, created_at FROM outbox ORDER BY id")
    assert [(number, payload) for number, payload, _ in rows] == [(1, PAYLOAD), (2, "{}")]
    assert all(re.match(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", str(at)) for *_, at in rows)


def test_a_payload_that_is_no_json_is_refused(application):
    application.make_outbox()
    with pytest.raises(Exception, match=r"(?i)json|check|constraint"):
        write(application, "{")


def test_ids_of_rows_that_were_deleted_never_come_again(application):
    application.make_outbox()
    write(application, "{}")
    application.run("DELETE FROM outbox")
    write(application, "{}")
    assert application.run("SELECT id FROM outbox") == [(2,)]


def test_marked_rows_have_a_column_and_an_index_of_those_that_wait(application):
    application.make_outbox("--mark")
    write(application, "{}")

    assert application.run("SELECT id FROM outbox WHERE published_at IS NULL") == [(1,)]
    [(index,)] = application.run(PENDING[application.legacy.dialect])
    if application.mysql:
        assert index == "published_at,id"
    else:
        assert re.search(r"\(id\) WHERE \(?published_at IS NULL", index)


def test_rows_that_stay_are_read_by_their_index_and_as_surely_as_a_position_can_be(application, caplog):
    application.make_outbox("--keep")
    write(application, "{}")
    drain = Drain(application.legacy.url, MemoryBroker(), arguments={"after_publish": "keep"})

    reports = [drain.run()]
    wait_until(lambda: reports[-1].rows or reports.append(drain.run()), "the second of the row being over")

    report = reports[-1]
    assert (report.rows, report.completeness, "no index" in caplog.text) == (1, "bounded", False)


def test_the_table_has_the_name_that_it_was_given(application):
    schema = {"postgresql": "public", "sqlite": "main", "mysql": application.legacy.url.database}
    name = f'{schema[application.legacy.dialect]}."Out ""box"""'
    for mark in ([], ["--mark"], ["--keep"]):
        application.make_outbox("--table", name, *mark)
        quoted = application.legacy.quoted('Out "box"')
        assert application.run(f"SELECT count(*) FROM {quoted}") == [(0,)]
        application.run(f"DROP TABLE {quoted}")


@pytest.mark.parametrize("options", [[], ["--mark"]])
def test_autovacuum_comes_by_the_number_of_dead_rows(request, capsys, options):
    with application_on(request, capsys, "postgresql-18") as application:
        application.make_outbox(*options)
        [(settings,)] = application.run("SELECT reloptions FROM pg_class WHERE relname = 'outbox'")
        assert "autovacuum_vacuum_threshold=1000" in settings
        assert "autovacuum_vacuum_cost_delay=0" in settings
        assert f"autovacuum_vacuum_scale_factor={'0.01' if options else '0'}" in settings


def test_an_event_is_as_old_as_its_write_and_not_as_its_transaction(request, capsys):
    with application_on(request, capsys, "postgresql-18") as application:
        application.make_outbox()
        application.run("BEGIN")
        write(application, "{}")
        write(application, "{}")
        assert application.run("SELECT count(DISTINCT created_at), min(created_at) > now() FROM outbox") == [(2, True)]
        application.run("COMMIT")
