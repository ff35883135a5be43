"""Messages that real databases can't hold: found among thousands, passed on or reported, and all others applied."""

from __future__ import annotations

import logging

import pytest

from airflow_legacy_events.core.errors import DeliveryError
from airflow_legacy_events.envelopes.decoders.plain import PlainDecoder
from airflow_legacy_events.watermarks.in_target import TargetPositions
from tests.support.applying import Letters, applied
from tests.support.profile import LONG
from tests.support.targets import world_of

ROWS = 10_000 if LONG else 1_000
SECRET = "zyx-4711"
COLUMNS = (
    "id INTEGER NOT NULL PRIMARY KEY, code VARCHAR(20) NOT NULL UNIQUE, amount DECIMAL(5,2),"
    " kind INTEGER REFERENCES kinds (id), size INTEGER CHECK (size > 0)"
)
MYSQL = COLUMNS.replace(" REFERENCES kinds (id)", "") + ", FOREIGN KEY (kind) REFERENCES kinds (id)"
KINDS = {
    "no JSON": (f'{{"id":50001,"code":"{SECRET}"', "NOT_JSON"),
    "no key": (f'{{"code":"{SECRET}"}}', "NO_KEY"),
    "an integer too large": ('{"id":99999999999999999999,"code":"b"}', "VALUE"),
    "a digit too many": (f'{{"id":50002,"code":"{SECRET}","amount":"19.999"}}', "VALUE"),
    "a text too long": (f'{{"id":50003,"code":"{SECRET * 4}"}}', "VALUE"),
    "a word for a number": (f'{{"id":50004,"code":"b","size":"{SECRET}"}}', "VALUE"),
    "NULL": ('{"id":50005,"code":null}', None),
    "a value that another row has": ('{"id":50006,"code":"c7"}', None),
    "a parent that is not there": (f'{{"id":50007,"code":"{SECRET}","kind":99}}', None),
    "a check": (f'{{"id":50008,"code":"{SECRET}","size":-5}}', None),
}
UNBOUNDED = ("a digit too many", "a text too long")
"""What SQLite stores as it is."""
ENGINES = ("postgresql-18", "mariadb-10.11", "mysql-9.7", "sqlite")
EACH = [(one, kind) for one in ENGINES for kind in KINDS if one != "sqlite" or kind not in UNBOUNDED]


@pytest.fixture
def world(request):
    with world_of(request, request.param) as found:
        found.execute("CREATE TABLE kinds (id INTEGER NOT NULL PRIMARY KEY)")
        found.execute("INSERT INTO kinds VALUES (1)")
        found.execute(f"CREATE TABLE t ({MYSQL if found.dialect == 'mysql' else COLUMNS})")
        yield found


def messages(*poison):
    """Rows, and in their midst what can't be applied."""
    rows = [(None, f'{{"id":{at},"code":"c{at}","amount":"1.5","kind":1,"size":1}}') for at in range(ROWS)]
    middle = ROWS // 3
    return [*rows[:middle], *((None, one) for one in poison), *rows[middle:]]


def run(world, some, letters=None):
    positions = TargetPositions(world.target.engine, "dwh")
    return applied(PlainDecoder(), world.target, some, size=10_000, letters=letters, positions=positions)


@pytest.mark.parametrize("world", ENGINES, indirect=True)
def test_all_of_them_at_once_leave_the_others_right(world, caplog):
    caplog.set_level(logging.INFO)
    kinds = [found for kind, found in KINDS.items() if world.dialect != "sqlite" or kind not in UNBOUNDED]
    letters = Letters()
    delivery = run(world, messages(*(text for text, _ in kinds)), letters)
    first = ROWS // 3
    assert sorted(place for place, _ in letters.sent) == list(range(first, first + len(kinds)))
    named = dict(letters.sent)
    wanted = {first + at: error for at, (_, error) in enumerate(kinds) if error is not None}
    assert {place: named[place] for place in wanted} == wanted
    assert world.execute("SELECT count(*), min(id), max(id) FROM t") == [(ROWS, 0, ROWS - 1)]
    assert (delivery.delivered.events, delivery.delivered.rejected) == (ROWS, len(kinds))
    assert SECRET not in "".join(letters.reasons) + caplog.text


@pytest.mark.parametrize(("world", "kind"), EACH, indirect=["world"])
def test_without_a_topic_for_it_one_ends_the_run_and_nothing_is_applied(world, kind, caplog):
    caplog.set_level(logging.INFO)
    with pytest.raises(DeliveryError) as refused:
        run(world, messages(KINDS[kind][0]))
    assert f"a.t[0]@{ROWS // 3} " in str(refused.value)
    assert SECRET not in str(refused.value) + caplog.text
    assert world.execute("SELECT count(*) FROM t") == [(0,)]
    letters = Letters()
    run(world, messages(KINDS[kind][0]), letters)
    assert [place for place, _ in letters.sent] == [ROWS // 3]
    assert world.execute("SELECT count(*) FROM t") == [(ROWS,)]
