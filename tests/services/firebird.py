"""Firebird 3 inside this process: a database is a file."""

from __future__ import annotations

import ctypes.util
import functools
import tempfile
from pathlib import Path
from typing import Any

from tests.services.base import MissingServiceError, apt_install

PACKAGES = ("firebird3.0-server-core", "firebird3.0-utils", "libfbclient2")
_ENGINES = "/usr/lib"


def install() -> None:
    """Make the client library and the embedded engine available."""
    if ctypes.util.find_library("fbclient") and any(Path(_ENGINES).glob("*/firebird/3.0/plugins/libEngine12.so")):
        return
    apt_install(*PACKAGES)
    if not ctypes.util.find_library("fbclient"):
        raise MissingServiceError(f"libfbclient was not found after installing {', '.join(PACKAGES)}")


@functools.cache
def _template() -> bytes:
    """An empty database; to make one takes half a second."""
    from firebird.driver import create_database, driver_config

    driver_config.db_defaults.forced_writes.value = False
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.fdb"
        create_database(str(path), user="SYSDBA", charset="UTF8").close()
        return path.read_bytes()


def create(path: Path) -> Any:
    """Return the driver's connection to a new, empty database."""
    install()
    path.write_bytes(_template())
    return connect(path)


def connect(path: Path) -> Any:
    """Return another connection to the database."""
    from firebird.driver import connect as open_database

    return open_database(str(path), user="SYSDBA", charset="UTF8")


def url(path: Path) -> str:
    """The database as a SQLAlchemy URL."""
    return f"firebird+firebird://SYSDBA@/{path}"
