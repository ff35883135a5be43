"""Rows above the bound of a run: what the log says of them."""

from __future__ import annotations

import logging

import pytest

from airflow_legacy_events.core.model import HeldBack
from airflow_legacy_events.core.waiting_rows import announce

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
