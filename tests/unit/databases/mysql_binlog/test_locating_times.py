"""A transaction of MariaDB is known on another server by the times that a replica keeps."""

import pytest

from airflow_legacy_events.databases.mysql.changelog.gtids import parsed
from airflow_legacy_events.databases.mysql.changelog.locating import Search, last_in, last_of
from tests.support.scripted_binlog import MARIADB, ScriptedLog
from tests.support.scripted_reading import chunks_of


def log_of(changed, ended, *, xa=False):
    """A log with one transaction, its rows changed at one time and its end logged at another."""
    log = ScriptedLog(MARIADB)
    log.time = changed
    if xa:
        log.begin_xa(b"left")
        log.rows("orders", "c", [(1, 7)])
        log.prepare_xa(b"left")
        log.time = ended
        log.end_xa(b"left", "COMMIT")
    else:
        log.begin()
        log.rows("orders", "c", [(1, 7)])
        log.time = ended
        log.commit()
    return log


@pytest.mark.parametrize(
    ("xa", "theirs", "same"),
    [
        (False, (100, 100), True),  # a replica gives the end the time of the last change
        (False, (100, 102), True),
        (False, (90, 102), False),
        (True, (100, 102), True),
        (True, (100, 101), False),
    ],
)
def test_a_transaction_is_the_same_where_its_changes_have_the_same_time(xa, theirs, same):
    stored = {}
    for chunk in chunks_of(log_of(100, 102, xa=xa)):
        stored |= last_of(chunk)
    other = log_of(*theirs, xa=xa)
    search = Search(other.dump, parsed(f"0-1-{other.executed}", mariadb=True), (), last_in(stored))
    assert search.place(other.place) == other.place
    assert search.same is same


def test_a_watermark_of_before_does_not_say_when_it_changed():
    assert last_in({"last": {"gtid": "0-1-1", "time": 100}}) is None
    assert last_in({}) is None
