"""Where SQLite's lock file lies, what is refused there, and who may open it."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from airflow_legacy_events.core.errors import BusyError, SourceError
from airflow_legacy_events.databases.sqlite import lock_file
from tests.support.legacy import legacy_database

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}
PRECIOUS = b"a key that nobody else has"
CHILD = """
import json, logging, os, sys
import sqlalchemy as sa
from airflow_legacy_events.databases.sqlite.database import SqliteDatabase
logging.basicConfig(level=logging.WARNING, stream=sys.stdout)
database = SqliteDatabase(sa.make_url(sys.argv[1]), conn_id="crm", statement_timeout_seconds=60)
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    with database.lock("s", json.loads(sys.argv[2])) as lease:
        lease.check()
        print("held", flush=True)
        sys.stdin.readline()
except Exception as error:
    print(type(error).__name__, error, flush=True)
"""


@pytest.fixture
def legacy(request):
    with legacy_database(request, "sqlite") as found:
        yield found


@pytest.fixture
def database(legacy):
    made = legacy.database()
    yield made
    made.close()


@pytest.fixture
def place(legacy, database):
    """Where the lock file lies; there is none."""
    with database.lock("s", HOLDER):
        pass
    [file] = Path(str(legacy.url.database)).parent.glob("*.lock")
    file.unlink()
    return file


@pytest.fixture
def precious(tmp_path):
    file = tmp_path / "precious"
    file.write_bytes(PRECIOUS)
    return file


def held(database, run="r1"):
    return database.lock("s", {**HOLDER, "run": run})


@pytest.mark.parametrize(
    ("plant", "told"),
    [
        (lambda place, precious: place.symlink_to(precious), "is a symbolic link, which is not followed"),
        (lambda place, precious: place.symlink_to(precious.with_name("nothing")), "is a symbolic link"),
        (lambda place, precious: place.hardlink_to(precious), "has 2 hard links, so it may be another file"),
        (lambda place, _: os.mkfifo(place), "is not a regular file"),
        (lambda place, _: place.mkdir(), "is not a regular file"),
        (lambda place, _: place.symlink_to("/dev/null"), "is a symbolic link"),
    ],
)
def test_what_was_planted_is_refused_and_nothing_is_destroyed(database, place, precious, plant, told):
    plant(place, precious)
    with pytest.raises(SourceError, match=f"the lock of stream 's' is the file .*{told}"), held(database):
        pass
    assert precious.read_bytes() == PRECIOUS
    assert not precious.with_name("nothing").exists()


def test_a_link_that_is_put_there_while_the_lock_is_held_is_a_lost_lease(database, place):
    with held(database) as lease:
        lease.check()
        place.rename(place.with_name("moved"))
        place.symlink_to(place.with_name("moved"))
        with pytest.raises(SourceError, match="was removed while it was held"):
            lease.check()


@pytest.mark.parametrize(
    ("data", "folder", "expected"),
    [(0o644, 0o755, 0o600), (0o600, 0o700, 0o600), (0o664, 0o755, 0o660), (0o644, 0o775, 0o660), (0o666, 0o777, 0o666)],
)
def test_only_those_may_lock_who_share_the_database(legacy, database, place, data, folder, expected):
    Path(str(legacy.url.database)).chmod(data)
    place.parent.chmod(folder)
    previous = os.umask(0o022)
    try:
        with held(database):
            assert stat.S_IMODE(place.stat().st_mode) == expected
    finally:
        os.umask(previous)


def test_a_file_of_an_earlier_release_is_used_and_closed_to_those_who_only_read(database, place):
    for mode, expected in ((0o644, 0o600), (0o660, 0o660), (0o664, 0o660)):
        place.write_text(json.dumps(HOLDER))
        place.chmod(mode)
        with held(database):
            assert stat.S_IMODE(place.stat().st_mode) == expected


@pytest.fixture
def read_only(place, monkeypatch, tmp_path):
    """A system that lets no file be made beside the database; the folder for that."""
    common = tmp_path / "common"
    common.mkdir()
    common.chmod(0o1777)
    monkeypatch.setattr(lock_file, "_COMMON", common)
    opened = os.open

    def refusing(path, flags, *mode):
        if flags & os.O_CREAT and Path(path).parent == place.parent:
            raise PermissionError(13, "Permission denied")
        return opened(path, flags, *mode)

    monkeypatch.setattr(lock_file.os, "open", refusing)
    return common / f"airflow-legacy-events-{os.geteuid()}"


def test_two_runs_of_one_user_meet_where_no_file_can_be_made(legacy, database, read_only, caplog):
    other = legacy.database()
    with held(database) as lease, caplog.at_level(logging.WARNING):
        lease.check()
        with pytest.raises(BusyError), held(other, "r2"):
            pass
    assert "it keeps out only processes of this user on this machine" in caplog.text
    assert stat.S_IMODE(read_only.stat().st_mode) == 0o700
    [file] = read_only.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with held(other, "r2") as lease:
        lease.check()
    other.close()


def test_databases_of_one_name_in_two_folders_have_locks_of_their_own(legacy, database, read_only, tmp_path):
    (tmp_path / "two").mkdir()
    path = tmp_path / "two" / Path(str(legacy.url.database)).name
    path.write_bytes(b"")
    other = legacy.database(database=str(path))
    with held(database), held(other, "r2"):
        pass
    other.close()


def test_a_file_beside_the_database_is_used_where_it_is(legacy, database, read_only, place):
    place.write_text("")
    with held(database):
        assert json.loads(place.read_text()) == HOLDER
    assert not read_only.exists()


@pytest.mark.parametrize(
    "plant",
    [
        lambda folder, elsewhere: folder.symlink_to(elsewhere),
        lambda folder, _: folder.write_text("x"),
        lambda folder, _: (folder.mkdir(), folder.chmod(0o777)),
    ],
)
def test_a_folder_that_others_made_ready_is_refused(database, read_only, precious, plant):
    elsewhere = precious.with_name("elsewhere")
    elsewhere.mkdir()
    plant(read_only, elsewhere)
    with pytest.raises(SourceError, match="is not a folder of this user alone"), held(database):
        pass
    assert list(elsewhere.iterdir()) == []


def _child(path: Path) -> subprocess.Popen[str]:
    """A run of a user who is not root."""
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, f"sqlite:///{path}", json.dumps(HOLDER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_user_who_may_only_read_the_folder_locks_elsewhere(legacy):
    with tempfile.TemporaryDirectory(dir="/tmp") as name:  # a folder that another user can enter
        folder = Path(name)
        path = folder / "legacy.db"
        legacy.execute(f"VACUUM INTO '{path}'")
        path.chmod(0o444)
        folder.chmod(0o555)
        with _child(path) as first:
            told = [first.stdout.readline(), first.stdout.readline()]
            with _child(path) as second:
                busy = second.stdout.readlines()
                second.stdin.close()
            first.stdin.close()
        folder.chmod(0o755)
        digest = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]
        for left in Path("/tmp").glob(f"airflow-legacy-events-*/{digest}.*"):
            left.unlink()
    assert "it keeps out only processes of this user on this machine" in told[0]
    assert told[1] == "held\n"
    assert any(line.startswith("BusyError") for line in busy)
