"""SQLite sessions: opening, the permissions of a read session, and its read transaction."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airflow_legacy_events.databases.sqlite.names import folded

_SMALLEST_LIMIT_BYTES = 2**20  # the limit also applies to catalog text and sorted rows

# `query_only` refuses to run write statements; some virtual tables merely prepare them when opened.
_READING = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_INSERT,
        sqlite3.SQLITE_UPDATE,
        sqlite3.SQLITE_DELETE,
    }
)
_SHAPING = frozenset({sqlite3.SQLITE_CREATE_TEMP_VIEW, sqlite3.SQLITE_DROP_TEMP_VIEW})
SHAPE = "legacy_events_shape"
_TEMPORARY = frozenset({"sqlite_temp_master", "sqlite_temp_schema", SHAPE})
_WRITING = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
_PRAGMAS = frozenset(
    {
        *("application_id", "collation_list", "compile_options", "data_version", "database_list", "encoding"),
        *("foreign_key_list", "freelist_count", "function_list", "index_info", "index_list", "index_xinfo"),
        *("module_list", "page_count", "page_size", "pragma_list", "schema_version", "table_info", "table_list"),
        *("table_xinfo", "user_version"),
    }
)
_BESIDE = ("-journal", "-wal", "-shm")
_FUNCTIONS_REFUSED = frozenset({"load_extension", "fts3_tokenizer"})


class Guard:
    """Authorizer of a read session: SQLite calls it while preparing every statement and view.

    A query or view can read, and run pragmas that only report. It can't attach a file, change a session setting, load
    code or create anything. `PRAGMA trusted_schema` is not changed: without it, views over full-text tables can't be
    read.
    """

    def __init__(self) -> None:
        self._noted: set[str] | None = None
        self._read: set[str] | None = None
        self._shaping = False

    def __call__(self, action: int, one: str | None, other: str | None, _: str | None, inside: str | None) -> int:
        """Return SQLite's code for an allowed or denied action."""
        if self._noted is not None and inside is not None:
            self._noted.add(folded(inside))
        if self._read is not None and action == sqlite3.SQLITE_READ and other is not None:
            self._read.add(other)
        if self._shaping and action in _SHAPING | _WRITING:
            allowed = action in _SHAPING or one in _TEMPORARY
        elif action == sqlite3.SQLITE_FUNCTION:
            allowed = (other or "").lower() not in _FUNCTIONS_REFUSED
        elif action == sqlite3.SQLITE_PRAGMA:
            allowed = (one or "").lower() in _PRAGMAS or (self._shaping and one == "query_only")
        else:
            allowed = action in _READING
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

    @contextmanager
    def noting(self) -> Iterator[set[str]]:
        """Yield the lower-case names of the views and triggers between the prepared statements and their tables."""
        noted: set[str] = set()
        self._noted = noted
        try:
            yield noted
        finally:
            self._noted = None

    @contextmanager
    def reading(self) -> Iterator[set[str]]:
        """Yield the names of the columns that the prepared statements read."""
        read: set[str] = set()
        self._read = read
        try:
            yield read
        finally:
            self._read = None

    @contextmanager
    def shaping(self, session: sqlite3.Connection) -> Iterator[None]:
        """Allow our own statements to create a temporary view; no other statement is prepared or run meanwhile."""
        self._shaping = True
        try:
            session.execute("PRAGMA query_only = OFF")
            yield
        finally:
            session.execute("PRAGMA query_only = ON")
            self._shaping = False


class Session(sqlite3.Connection):
    """A session on a file."""

    still = False

    def watch(self, path: Path) -> None:
        """Record the opened file; not needed where SQLite's locks prevent changes during a read."""

    def check(self) -> None:
        """Check that the file is unchanged since the session was opened, where no lock guarantees it.

        Raises:
            SourceError: the file has changed.
        """


def open_session(path: Path, timeout_seconds: float, max_row_bytes: int, kind: type[Session] = Session) -> Session:
    """Return a session.

    Args:
        path: of an existing file; none is created. SQLite itself opens a read-only file as such.
        timeout_seconds: maximum wait for another session's lock on the file.
        max_row_bytes: larger values are refused.
        kind: class of the session; one for an immutable file takes no locks.
    """
    refuse_planted(path)
    session = sqlite3.connect(
        f"{path.as_uri()}?{'mode=ro&immutable=1' if kind.still else 'mode=rw'}",
        uri=True,
        check_same_thread=False,
        isolation_level=None,
        timeout=timeout_seconds,
        factory=kind,
    )
    session.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(max_row_bytes, _SMALLEST_LIMIT_BYTES))
    return session


def refuse_planted(path: Path) -> None:
    """Refuse a SQLite side file that is not a regular file: opening a pipe would block forever.

    Raises:
        sqlite3.OperationalError: there is such a file.
    """
    for name in _BESIDE:
        beside = path.with_name(path.name + name)
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(beside.lstat().st_mode):
                raise sqlite3.OperationalError(f"the file {str(beside)!r} is not a regular file; remove it")


def begin(session: Session, path: Path) -> int:
    """Begin a transaction, fix its snapshot, and return the schema version in it."""
    refuse_planted(path)
    session.check()
    session.execute("BEGIN")
    return int(session.execute("PRAGMA schema_version").fetchone()[0])


def undo(session: Session) -> None:
    """Roll back the open transaction, if any, and check that the file did not change under it."""
    if session.in_transaction:
        session.execute("ROLLBACK")
    session.check()
