"""SQLite files in folders that can't be written to: what is read of them, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.sqlite.session import begin, open_session, undo
from airflow_legacy_events.databases.sqlite.still import StillSession

CHILD = """
import json, os, sys
from tests.support.streams import Deliveries
from airflow_legacy_events.brokers.memory import MemoryBroker
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
broker = MemoryBroker()
for columns in json.loads(sys.argv[2]):
    runs = Deliveries(f"sqlite:///{sys.argv[1]}", broker, "t", table="t", options={"watermark_columns": tuple(columns)})
    try:
        runs.run(batch_rows=2)
        print(json.dumps([json.loads(one.value)["data"]["id"] for one in broker.topic("t")]), flush=True)
    except Exception as error:
        print(type(error).__name__, error, flush=True)

"""
MODES = ["delete", "wal"]


@pytest.fixture
def folder():
    """A folder that everybody may look into."""
    made = Path(tempfile.mkdtemp())
    yield made
    made.chmod(0o700)
    shutil.rmtree(made)


def written(folder, mode, rows=3):
    file = folder / "shop.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as session:
        session.execute(f"PRAGMA journal_mode = {mode}")
        session.execute("CREATE TABLE t (id integer primary key)")
        session.executemany("INSERT INTO t VALUES (?)", [(at + 1,) for at in range(rows)])
    return file


def close(folder):
    """Let nobody but root write here."""
    for file in folder.iterdir():
        file.chmod(0o444)
    folder.chmod(0o555)


def child(file, *watermarks):
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(file), json.dumps(watermarks)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": "."},
    )


def told(process):
    return process.stdout.readline().strip()


@pytest.mark.parametrize("mode", MODES)
def test_a_file_is_read_whatever_its_mode_incrementally_and_as_a_whole(folder, mode):
    file = written(folder, mode)
    close(folder)
    with child(file, ["id"], []) as process:
        assert json.loads(told(process)) == [1, 2, 3]
        assert json.loads(told(process)) == [1, 2, 3] * 2
    assert [one.name for one in folder.iterdir()] == [file.name]


def test_what_a_writer_left_in_its_log_is_never_passed_over(folder):
    file = written(folder, "wal")
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("INSERT INTO t VALUES (9)")
        copied = folder / "copy.db"
        for ending in ("", "-wal"):
            shutil.copy(f"{file}{ending}", f"{copied}{ending}")
    close(folder)
    with child(copied, ["id"]) as process:
        line, remedy = process.stdout.read().splitlines()
    assert line.startswith("SourceError")
    assert "copy.db-wal, which holds changes that are not in the file yet" in line
    assert remedy.startswith("Have its writer close it")


def test_a_log_that_is_there_with_its_index_is_read(folder):
    file = written(folder, "wal")
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("INSERT INTO t VALUES (9)")
        close(folder)
        with child(file, ["id"]) as process:
            assert json.loads(told(process)) == [1, 2, 3, 9]


def test_a_journal_that_was_left_behind_is_refused(folder):
    file = written(folder, "delete")
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("PRAGMA cache_spill = ON")
        writer.execute("PRAGMA cache_size = 1")
        writer.execute("BEGIN IMMEDIATE")
        writer.executemany("INSERT INTO t VALUES (?)", [(at,) for at in range(100, 5_000)])
        copied = folder / "copy.db"
        for ending in ("", "-journal"):
            shutil.copy(f"{file}{ending}", f"{copied}{ending}")
        writer.execute("ROLLBACK")
    close(folder)
    with child(copied, ["id"]) as process:
        line = told(process)
    assert line.startswith("SourceError")
    assert "copy.db-journal" in line


def test_a_file_that_somebody_writes_to_between_two_looks_is_found_out(folder):
    file = written(folder, "wal")
    with closing(open_session(file, 1, 2**20, StillSession)) as session:
        session.watch(file)
        begin(session, file)
        undo(session)
        begin(session, file)
        with closing(sqlite3.connect(file, isolation_level=None)) as writer:
            writer.execute("INSERT INTO t VALUES (9)")
            with pytest.raises(SourceError, match="was changed while it was read"):
                undo(session)
        with pytest.raises(SourceError, match="was changed while it was read"):
            begin(session, file)
