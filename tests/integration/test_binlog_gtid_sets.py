"""Sets of GTIDs are what the server's own functions make of them."""

import random

from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_sets import GtidSet
from tests.support.profile import LONG

SOURCES = ("3e11fa47-71ca-11e1-9e33-c80aa9429562", "FFFFFFFF-71ca-11e1-9e33-c80aa9429562")
TAGS = ("", ":shop", ":a_1")


def drawn(chosen):
    """A set as a person may write it: in any order, with overlaps, spaces and either case."""
    parts = []
    for _ in range(chosen.randrange(6)):
        first = chosen.randrange(1, 30)
        numbers = f"{first}-{first + chosen.randrange(9)}" if chosen.random() < 0.6 else first
        parts.append(f"{chosen.choice(SOURCES)}{chosen.choice(TAGS)}:{numbers}:{chosen.randrange(1, 40)}")
    return ",\n".join(parts)


def test_sets_are_the_servers(mysql9):
    chosen = random.Random(22)
    for _ in range(300 if LONG else 30):
        one, two = drawn(chosen), drawn(chosen)
        [(whole, left, within)] = mysql9.execute(
            f"SELECT GTID_SUBTRACT('{one}', ''), GTID_SUBTRACT('{one}', '{two}'), GTID_SUBSET('{one}', '{two}')"
        )
        ours, theirs = GtidSet.of(one), GtidSet.of(two)
        assert str(ours) == whole.replace("\n", "")
        assert str(ours.missing(theirs)) == left.replace("\n", "")
        assert (ours <= theirs) == bool(within)
