"""The rights of a change log of MariaDB and MySQL that the documentation prints: a user with these alone reads it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import LegacyEventsError
from tests.support.binlogs import BINLOGGED, binlogged_database
from tests.support.grants import named, singly
from tests.support.readers import Reader

PAGE = (Path(__file__).parents[2] / "docs" / "operations" / "privileges.md").read_text()
PRINTED = {
    label: [right for one in statements.split(";") if one.strip() for right in singly(" ".join(one.split()))]
    for label, statements in re.findall(r"```sql\n-- (\w+), change log\n(.*?)```", PAGE, re.DOTALL)
}


@pytest.fixture(params=BINLOGGED)
def logged(request):
    """A table, and a user of the stream without rights."""
    with binlogged_database(request, request.param, "CREATE TABLE orders (id int PRIMARY KEY, t varchar(9))") as found:
        found.reader = Reader(found.legacy)
        found.url = {"username": found.reader.name}
        found.patterns = [f"{found.legacy.url.database}.orders"]
        found.rights = PRINTED["MariaDB" if "mariadb" in request.param else "MySQL"]
        yield found
        found.reader.drop()


def test_the_printed_rights_are_enough(logged):
    logged.reader.may(logged.rights)
    logged.begin()
    logged.execute("INSERT INTO orders VALUES (1, 'a')")
    with logged.log() as log:
        log.open()
        with log.change_log.snapshot(log.tables):
            rows = sa.select(sa.column("id"), sa.column("t")).select_from(log.tables[0].reflection.selectable)
            assert log.database.read(rows) == [("1", "a")]
    assert logged.run() == [("c", "1", "a")]
    logged.execute("UPDATE orders SET t = 'b'")
    assert logged.run() == [("u", "1", "b")]


def test_each_printed_right_is_needed_and_named(logged):
    logged.reader.may(logged.rights)
    for missing in logged.rights:
        logged.reader.may_no_more(missing)
        with logged.log() as log, pytest.raises(LegacyEventsError) as refused:
            log.open()
        (grant,) = named(refused.value, logged.reader)
        assert grant.replace("crm.* TO", "crm.orders TO") == missing.replace("crm.* TO", "crm.orders TO")
        logged.reader.may([missing])


def test_all_missing_rights_are_named_at_once(logged):
    lacking = [right for right in logged.rights if "SELECT" not in right]
    logged.reader.may([right for right in logged.rights if "SELECT" in right])
    with logged.log() as log, pytest.raises(LegacyEventsError) as refused:
        log.open()
    assert [right for one in named(refused.value, logged.reader) for right in singly(one)] == lacking
