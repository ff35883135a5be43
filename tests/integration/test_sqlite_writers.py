"""How complete a stream of SQLite is, why, and up to which moment its times are final."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest

from tests.support.legacy import legacy_database
from tests.support.writers import writers_of


@pytest.fixture
def legacy(request):
    with legacy_database(request, "sqlite") as found:
        yield found


@pytest.mark.parametrize(
    ("table", "level", "said"),
    [
        ("c INTEGER PRIMARY KEY AUTOINCREMENT", "bounded", "AUTOINCREMENT"),
        ("c INTEGER PRIMARY KEY", "best_effort", "\nMake the table with c INTEGER PRIMARY KEY AUTOINCREMENT"),
        ("c TEXT PRIMARY KEY", "best_effort", "without AUTOINCREMENT"),
        ("c timestamp DEFAULT CURRENT_TIMESTAMP", "bounded", "leaves column 'c' to CURRENT_TIMESTAMP"),
        ("c timestamp DEFAULT (datetime('now', 'localtime'))", "bounded", "one time zone, UTC"),
        ("c timestamp", "best_effort", "\nMake the column with DEFAULT CURRENT_TIMESTAMP"),
    ],
)
def test_what_gives_the_values(legacy, table, level, said):
    legacy.execute(f"CREATE TABLE t ({table}, v int)")
    with contextlib.closing(legacy.database()) as database:
        found = writers_of(database, "c")
        assert found.completeness == level
        assert said in found.reason
        assert found.look().open == found.remaining(["x"], {}) == {}


def test_a_trigger_that_sets_the_time(legacy):
    legacy.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, c timestamp)")
    legacy.execute("CREATE TRIGGER tr AFTER UPDATE ON t BEGIN UPDATE t SET c = datetime('now') WHERE id = NEW.id; END")
    with contextlib.closing(legacy.database()) as database:
        assert writers_of(database, "c").completeness == "bounded"


@pytest.mark.clock_margin
def test_times_are_final_below_the_margin(legacy):
    legacy.execute("CREATE TABLE t (c timestamp, d date)")
    with contextlib.closing(legacy.database()) as database:
        look = writers_of(database, "c").look()
        assert look.now - look.before == dt.timedelta(seconds=1)
        assert writers_of(database, "d").tick == dt.timedelta(days=1)
