"""Processes that register one asset do so one after the other."""

import hashlib
import os
import subprocess
import sys
import uuid

import pytest

from airflow_legacy_events.streams.asset_lock import lock_asset

LOCK = """
import sys
from airflow_legacy_events.streams.asset_lock import lock_asset
print(lock_asset(sys.argv[1], float(sys.argv[2])), flush=True)
input()
"""


@pytest.fixture
def uri():
    return f"kafka://broker/{uuid.uuid4()}"


@pytest.fixture
def holder(uri):
    """Another process that holds the lock, until its input ends."""
    process = subprocess.Popen([sys.executable, "-c", LOCK, uri, "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"True\n"
    yield process
    process.kill()
    process.communicate()


def test_the_lock_lasts_until_its_process_ends(uri, holder):
    assert not lock_asset(uri, 0.3)
    holder.kill()
    assert lock_asset(uri, 60)


def test_other_assets_have_other_locks(uri, holder):
    assert lock_asset(f"{uri}-other", 0)


def test_a_process_keeps_its_lock(uri):
    assert lock_asset(uri, 0)
    assert lock_asset(uri, 0)


def test_without_a_place_for_the_lock_nothing_is_waited_for(uri, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    assert not lock_asset(uri, 60)


@pytest.mark.parametrize("plant", ["link", "second name", "FIFO", "folder"])
def test_what_somebody_planted_under_the_name_is_left_alone(uri, monkeypatch, tmp_path, plant):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    digest = hashlib.sha256(uri.encode()).hexdigest()[:32]
    place, precious = tmp_path / f"legacy-events-{os.getuid()}-{digest}.lock", tmp_path / "precious"
    precious.write_text("precious")
    makers = {
        "link": lambda: place.symlink_to(precious),
        "second name": lambda: place.hardlink_to(precious),
        "FIFO": lambda: os.mkfifo(place),
        "folder": place.mkdir,
    }
    makers[plant]()
    assert not lock_asset(uri, 60)
    assert precious.read_text() == "precious"
