"""Prepared transactions that a test left on MariaDB and MySQL when it failed: every later test would wait for them."""

from __future__ import annotations

import os

import MySQLdb

from tests.services.mysql_family import connect, run


def end_prepared(process: int) -> None:
    """End those of one process of tests, by the names of its databases."""
    for name, address in os.environ.items():
        if name.startswith("LEGACY_EVENTS_TEST_") and address.startswith("mysql://"):
            _end_on(address, f"test_{process}_")


def _end_on(address: str, begin: str) -> None:
    connection = connect(address)
    try:
        for *_, gid in run(connection, "XA RECOVER"):
            text = gid.decode() if isinstance(gid, bytes) else gid
            if text.startswith(begin):
                run(connection, f"XA ROLLBACK '{text}'")
    except MySQLdb.OperationalError:
        """It ended meanwhile."""
    finally:
        connection.close()
