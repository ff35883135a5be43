"""Rows above the bound of a run: what the log says of them, and when they fail the run."""

from __future__ import annotations

import datetime as dt
import logging

import pytest

from airflow_legacy_events.core.errors import ConfigurationError, HorizonError
from airflow_legacy_events.core.model import HeldBack, Horizon
from airflow_legacy_events.core.waiting_rows import announce, refuse_old, refuse_unseen

BLOCKER = {"pid": 7, "user": "app", "database": "shop", "query_start": "2026-01-01T10:00:00+00:00", "gid": None}
PREPARED = {"pid": None, "user": "app", "database": "shop", "query_start": None, "gid": "tx\n1"}


@pytest.mark.parametrize(
    ("held", "said", "level"),
    [
        (HeldBack(2, -3.0, "future"), "2 rows wait for a later run: they are above the database's", logging.INFO),
        (HeldBack(1_000, 5.0, "lag"), "at least 1000 rows wait for a later run: they are younger", logging.INFO),
        (
            HeldBack(3, 1.25, "open_transaction", BLOCKER),
            "rows below them, for 1.2 s: session 7 of user 'app' in database 'shop', its last statement since 2026-01",
            logging.INFO,
        ),
        (
            HeldBack(3, 60.0, "open_transaction", PREPARED),
            "for 60.0 s: prepared transaction 'tx\\n1' of user 'app' in database 'shop'",
            logging.WARNING,
        ),
        (HeldBack(3, 1.0, "open_transaction", dict.fromkeys(BLOCKER)), "for 1.0 s: session ?", logging.INFO),
        (
            HeldBack(3, 1.0, "open_transaction", {"topic": "orders", "partition": 2, "offset": 17}),
            "for 1.0 s: a producer's, from offset 17 of partition 2 of topic 'orders' on",
            logging.INFO,
        ),
        (HeldBack(3, None, "open_transaction"), "rows below them: its session can't be seen", logging.INFO),
    ],
)
def test_one_line_says_how_many_rows_wait_and_names_who_holds_them_back(caplog, held, said, level):
    caplog.set_level(logging.INFO)
    announce(logging.getLogger(), "s", held)
    [line] = caplog.records
    assert said in line.getMessage()
    assert line.levelno == level
    assert "\n" not in line.getMessage()


MINUTE = dt.timedelta(minutes=1)


def horizon(seconds, reason="open_transaction", ends="SELECT pg_terminate_backend(7)"):
    held = HeldBack(3, seconds, reason, BLOCKER)
    return Horizon(("1",), "bounded", "all are seen", {}, held_back=held, below=True, ends=ends)


def test_rows_that_wait_for_too_long_name_who_holds_them_back_and_the_statement_that_ends_it():
    with pytest.raises(HorizonError) as refused:
        refuse_old("s", horizon(60.5), MINUTE)
    said = str(refused.value).split("\n")
    assert said[0].startswith(
        "3 rows of stream 's' have waited 60 s for an open transaction, max_horizon_age= allows 60"
    )
    assert "session 7 of user 'app' in database 'shop'" in said[0]
    assert said[1] == "SELECT pg_terminate_backend(7)"
    assert said[2] == "The rows below them are delivered and saved; a later run continues from there"
    assert (refused.value.blocker, refused.value.retry_helps) == (BLOCKER, True)


def test_a_statement_that_is_not_known_is_left_out():
    with pytest.raises(HorizonError, match=r"2026-01-01T10:00:00\+00:00\. Let it end\. The rows below them"):
        refuse_old("s", horizon(61.0, ends=None), MINUTE)


@pytest.mark.parametrize(
    ("found", "most"),
    [
        (horizon(60.0), MINUTE),
        (horizon(9e9), None),
        (horizon(9e9, "lag"), MINUTE),
        (horizon(9e9, "future"), MINUTE),
        (horizon(None), MINUTE),
        (Horizon(None, "bounded", "all are seen", {}, below=True), MINUTE),
    ],
)
def test_rows_that_may_wait_fail_nothing(found, most):
    refuse_old("s", found, most)
    refuse_unseen("s", found, most)


def test_an_age_without_effect_is_refused():
    found = Horizon(None, "best_effort", "no writer can be seen", {})
    refuse_unseen("s", found, None)
    with pytest.raises(ConfigurationError, match=r"max_horizon_age= has no effect on stream 's'.*\n.*no writer can be"):
        refuse_unseen("s", found, MINUTE)
