"""An outbox of which the drain's user was granted single columns: it is drained, or the GRANT is named."""

from __future__ import annotations

import re

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import LegacyEventsError
from tests.support.legacy import legacy_database
from tests.support.outbox import Drain, create_outbox
from tests.support.readers import ENGINES, connecting

COLUMNS = ("id", "aggregatetype", "aggregateid", "type", "payload", "created_at", "published_at")
CHANGE = {"delete": "DELETE", "mark": "UPDATE (published_at)"}


@pytest.fixture(params=ENGINES)
def legacy(request):
    with legacy_database(request, request.param) as found:
        create_outbox(found)
        found.execute("ALTER TABLE outbox ADD COLUMN secret varchar(9)")
        yield found


@pytest.fixture
def reader(legacy):
    with connecting(legacy) as made:
        yield made


def may(reader, mode, columns=COLUMNS):
    table = "crm.outbox" if reader.legacy.dialect == "mysql" else "outbox"
    reader.may([f"GRANT SELECT ({', '.join(columns)}), {CHANGE[mode]} ON {table} TO reader"])


def insert(legacy):
    legacy.execute("INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES ('order', '1', 'Paid', '{}')")


def drain(reader, mode, **arguments):
    url = reader.url.render_as_string(hide_password=False)
    return Drain(url, MemoryBroker(), arguments={"after_publish": mode, **arguments})


def refusal(reader, mode, **arguments):
    with pytest.raises(LegacyEventsError) as caught:
        drain(reader, mode, **arguments).run()
    return str(caught.value)


def version(reader):
    """The hidden column by which rows are told from what they become."""
    return ("xmin",) if reader.legacy.dialect == "postgresql" else ()


@pytest.mark.parametrize("mode", CHANGE)
def test_granted_columns_are_drained(reader, mode):
    may(reader, mode, (*COLUMNS, *version(reader)))
    made = drain(reader, mode)
    for _ in range(2):
        insert(reader.legacy)
        assert made.run().events == 1
    assert made.run().events == 0


def test_rows_are_marked_without_their_hidden_version(reader):
    may(reader, "mark")
    made = drain(reader, "mark")
    for _ in range(2):
        insert(reader.legacy)
        assert made.run().events == 1
    assert made.run().events == 0


def test_the_hidden_version_that_a_deletion_needs_is_named(reader):
    may(reader, "delete")
    if version(reader):
        assert 'GRANT SELECT ("xmin") ON public.outbox TO' in refusal(reader, "delete")
    else:
        assert drain(reader, "delete").run().events == 0


def test_a_column_that_is_missing_is_named_with_its_grant(reader):
    may(reader, "mark")
    table = "crm.outbox" if reader.legacy.dialect == "mysql" else "outbox"
    quote = "`" if reader.legacy.dialect == "mysql" else ""
    for missing in ("id", "payload", "created_at", "published_at"):
        reader.may_no_more(f"GRANT SELECT ({missing}) ON {table} TO reader")
        told = refusal(reader, "mark")
        assert f"'{missing}'" in told
        assert f"\nGRANT SELECT ({quote}{missing}{quote}) ON" in told
        reader.may([f"GRANT SELECT ({missing}) ON {table} TO reader"])


@pytest.mark.parametrize("mode", CHANGE)
def test_a_change_that_is_not_granted_is_named_with_its_grant(reader, mode):
    table = "crm.outbox" if reader.legacy.dialect == "mysql" else "outbox"
    reader.may([f"GRANT SELECT ON {table} TO reader"])
    told = refusal(reader, mode)
    column = reader.legacy.quoted("published_at")
    assert f"\nGRANT {CHANGE[mode].replace('published_at', column)} ON" in told
    assert re.fullmatch(rf"'?{reader.name}('@'.*')?", told.split(" TO ")[-1].splitlines()[0])


def test_a_condition_on_a_column_that_is_not_granted_is_named(reader):
    may(reader, "mark")
    assert "GRANT SELECT (" in refusal(reader, "mark", where="secret IS NULL")
