"""What every database's catalog says of deleting and updating rows of a table, before a row of it is touched."""

from __future__ import annotations

import pytest

from tests.support.engines import EACH
from tests.support.legacy import legacy_database

KEYS = {"sqlite": "integer PRIMARY KEY AUTOINCREMENT", "mysql": "bigint AUTO_INCREMENT PRIMARY KEY"}


@pytest.fixture(params=EACH)
def legacy(request):
    with legacy_database(request, request.param) as found:
        key = KEYS.get(found.dialect, "bigint NOT NULL PRIMARY KEY")
        found.execute(f"CREATE TABLE outbox (id {key}, body varchar(40), sent date)")
        yield found


def refer(legacy, table, action):
    """A table with a foreign key to the outbox."""
    key = f"CONSTRAINT fk_{table} FOREIGN KEY (outbox_id) REFERENCES outbox (id) {action}"
    legacy.execute(f"CREATE TABLE {table} (id integer NOT NULL PRIMARY KEY, outbox_id bigint, {key})")


def fire(legacy, name, event):
    """A trigger of the outbox that does nothing that matters."""
    before = f"CREATE TRIGGER {name}"
    match legacy.dialect:
        case "postgresql":
            body = "RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
            legacy.execute(f"CREATE OR REPLACE FUNCTION look() {body}")
            legacy.execute(f"{before} AFTER {event} ON outbox FOR EACH ROW EXECUTE FUNCTION look()")
        case "sqlite":
            legacy.execute(f"{before} AFTER {event} ON outbox BEGIN SELECT 1; END")
        case "firebird":
            legacy.execute(f"{before} FOR outbox ACTIVE AFTER {event} AS BEGIN END")
        case _:
            legacy.execute(f"{before} AFTER {event} ON outbox FOR EACH ROW SET @seen = 1")


def test_a_table_without_anything_around_it_sets_nothing_off(database):
    found = database.writes("outbox")
    assert (found.references, found.effects, found.update_effects) == ((), (), ())
    assert (found.elsewhere, found.partial, found.unknown) == (None, (), ())


def test_a_key_that_keeps_rows_is_told_from_one_that_changes_others(legacy, database):
    refer(legacy, "keeping", "")
    refer(legacy, "following", "ON DELETE CASCADE")
    refer(legacy, "losing", "ON DELETE SET NULL")
    found = database.writes("outbox")
    [kept] = found.references
    assert "of keeping (outbox_id), ON DELETE" in kept
    assert kept.endswith(("NO ACTION", "RESTRICT"))
    following, losing = sorted(found.effects)
    assert following.endswith("of following (outbox_id), ON DELETE CASCADE")
    assert losing.endswith("of losing (outbox_id), ON DELETE SET NULL")
    if legacy.dialect != "sqlite":
        assert "fk_keeping" in kept.lower()
    assert database.writes("keeping").references == ()
    assert found.update_effects == ()


def test_triggers_are_told_by_what_fires_them(legacy, database):
    fire(legacy, "on_delete_of_it", "DELETE")
    fire(legacy, "on_update_of_it", "UPDATE")
    fire(legacy, "on_insert_of_it", "INSERT")
    found = database.writes("outbox")
    [deleting], [updating] = found.effects, found.update_effects
    assert deleting.lower().startswith("trigger on_delete_of_it ")
    assert updating.lower().startswith("trigger on_update_of_it ")


def test_an_index_that_leaves_rows_out_is_told_with_its_condition(legacy, database):
    if legacy.dialect not in ("postgresql", "sqlite"):
        legacy.execute("CREATE INDEX of_all ON outbox (sent, id)")
        assert database.writes("outbox").partial == ()
        return
    legacy.execute("CREATE INDEX unsent ON outbox (id) WHERE sent IS NULL")
    legacy.execute("CREATE INDEX of_words ON outbox (lower(body)) WHERE sent IS NULL")
    [(columns, condition)] = database.writes("outbox").partial
    assert columns == ("id",)
    assert condition.strip("()") == "sent IS NULL"


def test_the_size_is_known_where_the_catalog_has_it(legacy, database):
    size = database.writes("outbox").bytes
    assert size is None if legacy.dialect == "firebird" else size > 0
