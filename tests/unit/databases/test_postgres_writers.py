"""Members of a set of open PostgreSQL transactions: which of them have ended."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.databases.postgres.writers.members import Found, remaining, sessions_of
from airflow_legacy_events.databases.postgres.writers.served import Now, restarted

SERVER = Now("7", "2026-11-30 09:00:00+00", False, "0:700")
LATER = SERVER._replace(started="2026-11-30 10:00:00+00")


def local(virtual, pid, *, writing=True):
    return Found(virtual, pid, None, "app", "crm", None, None, writing)


def prepared(xid, virtual="-1/5", *, writing=True):
    return Found(virtual, None, xid, "app", "crm", None, f"gid {xid}", writing)


def test_the_id_of_a_transaction_is_that_of_no_later_one():
    assert local("3/17", 42).id == "3/17@42"
    assert local("3/17", 42, writing=False).id == "3/17@42+"
    assert prepared("753").id == "xid 753"
    assert sessions_of(["3/17@42", "xid 753", "4/1@43+"]) == [42, 43]


@pytest.mark.parametrize("one", ["", "3/17", "753", "xid", "3/17@42 ", "xid 1 or more", "x3/17@42"])
def test_another_id_is_refused(one):
    with pytest.raises(WatermarkError, match="of the stored horizon is none of PostgreSQL"):
        sessions_of([one])


@pytest.mark.parametrize(
    ("one", "found", "open_"),
    [
        ("3/17@42", local("3/17", 42), True),
        ("3/17@42", local("3/18", 42), False),  # its session's next transaction
        ("3/17@42", local("3/17", 43), False),  # after a crash numbers begin again
        ("3/17@42+", local("3/18", 42), True),  # perhaps of the same statement
        ("3/17@42+", local("4/1", 42), False),
        ("3/17@42", prepared("753", "3/17", writing=False), True),
        ("3/17@42", prepared("753", "3/18"), False),
        ("3/17@42", prepared("753"), True),  # by a server that was started since, or an old release
        ("3/17@42", prepared("753", writing=False), False),
        ("xid 753", prepared("753", writing=False), True),
        ("xid 753", prepared("754"), False),
    ],
)
def test_what_is_open_still(one, found, open_):
    assert remaining([one], [found], restarted=False) == ({one: found.blocker} if open_ else {})


def test_a_prepared_one_that_was_known_is_no_other_one():
    found = remaining(["3/17@42", "xid 753"], [prepared("753")], restarted=False)
    assert found == {"xid 753": prepared("753").blocker}


def test_a_restart_ends_local_ones():
    ids = ["3/17@42", "4/1@43+", "xid 753"]
    rows = [local("3/17", 42), local("4/1", 43, writing=False), prepared("800", "3/17")]
    assert remaining(ids, rows, restarted=True) == {}
    assert set(remaining(ids, [prepared("753"), prepared("754")], restarted=True)) == set(ids)


def test_a_server_that_goes_on_knows_them():
    before = SERVER.facts({"lsn": "0/1"})
    assert restarted(before, SERVER, lambda _: pytest.fail("it was not started since")) is False
    assert restarted(before, LATER, lambda _: None) is True
    assert restarted({**before, "position": None}, LATER, lambda _: pytest.fail("no position")) is True


@pytest.mark.parametrize(
    ("now", "behind", "said"),
    [
        (SERVER._replace(system="8"), None, "with system identifier 7, and this is 8"),
        (LATER, "it is behind", "not known any more: it is behind"),
        (LATER._replace(next_xid="0:699"), None, "went back to 0:699, from 0:700"),
        (LATER._replace(standby=True), None, "of the primary of this standby"),
    ],
)
def test_a_server_that_does_not_know_them_is_refused(now, behind, said):
    with pytest.raises(WatermarkError, match=f"{said}.*; nothing was read\nPoint the connection at the server"):
        restarted(SERVER.facts({"lsn": "0/1"}), now, lambda _: behind)
