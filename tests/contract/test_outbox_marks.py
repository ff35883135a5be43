"""Triggers of the table that undo a mark or a DELETE, so that rows would be sent again and again."""

from __future__ import annotations

import logging

import pytest

from airflow_legacy_events.core.errors import SourceError
from tests.support import outbox_tables
from tests.support.engines import of
from tests.support.legacy import reused_database
from tests.support.outbox_tables import LOG, MOMENT, create, drain, insert, left, numbers

MARK = {"after_publish": "mark"}
PUT_BACK = {
    "postgresql": "CREATE FUNCTION back() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN NEW.published_at = OLD.published_at; NEW.tries = OLD.tries + 1; RETURN NEW; END';"
    " CREATE TRIGGER back BEFORE UPDATE ON outbox FOR EACH ROW EXECUTE FUNCTION back()",
    "mysql": "CREATE TRIGGER back BEFORE UPDATE ON outbox FOR EACH ROW"
    " SET NEW.published_at = OLD.published_at, NEW.tries = OLD.tries + 1",
    "sqlite": "CREATE TRIGGER back AFTER UPDATE OF published_at ON outbox WHEN NEW.published_at IS NOT NULL"
    " BEGIN UPDATE outbox SET published_at = NULL, tries = tries + 1 WHERE id = NEW.id; END",
}


@pytest.fixture
def legacy(request):
    with reused_database(request, request.param) as found:
        create(found, f"published_at {MOMENT[found.dialect]}", "tries integer DEFAULT 0")
        insert(found, {}, {}, {})
        yield found


@pytest.mark.parametrize("legacy", of(*PUT_BACK), indirect=True)
def test_a_mark_that_a_trigger_puts_back_ends_the_run_at_the_first_batch(legacy):
    legacy.execute(PUT_BACK[legacy.dialect])

    with pytest.raises(SourceError, match=r"2 published rows .* should have been marked.*On this table: .*back"):
        drain(legacy, batch_rows=2, **MARK)

    assert left(legacy, where="published_at IS NULL") == [1, 2, 3]


@pytest.mark.parametrize("legacy", of(*PUT_BACK), indirect=True)
def test_a_trigger_that_leaves_the_mark_alone_ends_nothing(legacy):
    other = {"postgresql": "NEW.published_at = OLD.published_at; ", "mysql": "NEW.published_at = OLD.published_at, "}
    counting = PUT_BACK[legacy.dialect].replace(other.get(legacy.dialect, "published_at = NULL, "), "")
    legacy.execute(counting.replace("WHEN NEW.published_at IS NOT NULL", ""))

    with outbox_tables.source(legacy, **MARK) as one, outbox_tables.lease(legacy) as held:
        [batch] = one.open(None).batches
        legacy.execute("UPDATE outbox SET payload = 'newer' WHERE id = 2")
        one.acknowledge(outbox_tables.kept(batch.after).receipt, held)

    assert left(legacy, where="published_at IS NULL") == [2]


@pytest.mark.parametrize("legacy", of("postgresql"), indirect=True)
def test_rows_that_a_trigger_changes_instead_of_deleting_them_are_warned_of(legacy, caplog):
    caplog.set_level(logging.INFO, logger=LOG)
    legacy.execute(
        "CREATE FUNCTION hide() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN UPDATE outbox SET tries = 1 WHERE id = OLD.id; RETURN NULL; END';"
        " CREATE TRIGGER hide BEFORE DELETE ON outbox FOR EACH ROW EXECUTE FUNCTION hide()"
    )
    assert numbers(drain(legacy)[0]) == [1, 2, 3]
    told = [one.getMessage() for one in caplog.records if "all 3 rows were changed" in one.getMessage()]
    assert len(told) == 1
    assert "trigger hide BEFORE DELETE" in told[0]
