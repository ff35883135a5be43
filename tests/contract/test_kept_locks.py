"""A run of commit 55f1e15 and one of this code at the same time exclude each other, and name each other.

`tests/golden/kept/locks.json` holds how its locks looked; see `tests/golden/kept/make_names.py`.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from airflow_legacy_events.core.errors import BusyError, SourceError
from airflow_legacy_events.databases.sqlite import lock as sqlite_lock
from tests.golden.kept import locks
from tests.support.engines import EACH
from tests.support.legacy import legacy_database

KEPT = json.loads((Path(__file__).parents[1] / "golden" / "kept" / "locks.json").read_text())
STRANGER = {"dag": "other", "task": "t", "run": "r9", "map_index": -1, "try": 9, "host": "h", "pid": 1}


@pytest.fixture(params=EACH)
def legacy(request):
    with legacy_database(request, request.param) as found:
        yield found


@pytest.fixture(params=range(len(KEPT)))
def one(request):
    return KEPT[request.param]


def test_a_lock_looks_to_others_as_it_always_did(legacy, database, one):
    with database.lock(one["stream"], one["holder"]):
        assert locks.shown(legacy, one["stream"]).items() <= one[legacy.dialect].items()


def test_a_run_of_the_old_release_is_named_to_the_second_comer(legacy, database, one):
    with (
        locks.held(legacy, one["stream"], one[legacy.dialect]),
        pytest.raises(BusyError) as busy,
        database.lock(one["stream"], STRANGER),
    ):
        pass
    holder = one["holder"]
    parts = [f"try {holder['try']} on host", f"pid {holder['pid']}", f"dag '{holder['dag'][:40]}"]
    assert [part for part in parts if part not in str(busy.value)] == []


def test_an_earlier_try_of_the_old_release_gives_way(legacy, database, one, monkeypatch):
    holder = {**one["holder"], "try": one["holder"]["try"] + 1}
    if legacy.dialect == "sqlite":  # nothing can end it from here: it is waited for
        monkeypatch.setattr(sqlite_lock, "LEASE_SECONDS", 0.0)
        expected = pytest.raises(SourceError, match="an earlier try of this task, which did not end")
    else:
        expected = contextlib.nullcontext()
    with locks.held(legacy, one["stream"], one[legacy.dialect]), expected:  # noqa: SIM117
        with database.lock(one["stream"], holder) as lease:
            lease.check()
