"""Sessions of SQLite: how one is opened, what one that reads may do, and the transaction that it reads in."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airflow_legacy_events.databases.sqlite.names import folded

_SMALLEST_LIMIT_BYTES = 2**20  # the limit is that of texts in the catalog and of rows in a sort, too

# `query_only` refuses to run a statement that writes; some virtual tables only prepare such ones when they are opened.
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
    """Authorizer of a session that reads: SQLite asks it about every statement, and every view, while it prepares it.

    A query or a view can read, and ask pragmas that only tell. It can't attach a file, change a setting of the session,
    load code, or make anything. `PRAGMA trusted_schema` is left as it is: without it views over full-text tables can't
    be read.
    """

    def __init__(self) -> None:
        self._noted: set[str] | None = None
        self._read: set[str] | None = None
        self._shaping = False

    def __call__(self, action: int, one: str | None, other: str | None, _: str | None, inside: str | None) -> int:
        """Return whether an action is allowed, as SQLite wants it."""
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
        """Yield the names, in lower case, of what stands between the statements that are prepared and their tables."""
        noted: set[str] = set()
        self._noted = noted
        try:
            yield noted
        finally:
            self._noted = None

    @contextmanager
    def reading(self) -> Iterator[set[str]]:
        """Yield the names of the columns that the statements read which are prepared."""
        read: set[str] = set()
        self._read = read
        try:
            yield read
        finally:
            self._read = None

    @contextmanager
    def shaping(self, session: sqlite3.Connection) -> Iterator[None]:
        """Let our own statements make a temporary view; while that lasts nothing else is prepared or run."""
        self._shaping = True
        try:
            session.execute("PRAGMA query_only = OFF")
            yield
        finally:
            session.execute("PRAGMA query_only = ON")
            self._shaping = False


class Session(sqlite3.Connection):
    """A session of a file."""

    still = False

    def watch(self, path: Path) -> None:
        """Note what is opened; SQLite's own locks keep a file still that is read with them."""

    def check(self) -> None:
        """Check that the file is as it was when the session was opened, where nothing keeps it so.

        Raises:
            SourceError: it is not.
        """


def open_session(path: Path, timeout_seconds: float, max_row_bytes: int, kind: type[Session] = Session) -> Session:
    """Return a session.

    Args:
        path: of a file that is there; none is made. One that may only be read is opened read-only by SQLite itself.
        timeout_seconds: for which another one's lock on the file is waited for.
        max_row_bytes: larger values are refused.
        kind: of the session; one whose file stands still takes no locks.
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
    """Refuse a file of SQLite's own beside the database that is no regular one: a pipe would be opened for ever.

    Raises:
        sqlite3.OperationalError: there is one.
    """
    for name in _BESIDE:
        beside = path.with_name(path.name + name)
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(beside.lstat().st_mode):
                raise sqlite3.OperationalError(f"the file {str(beside)!r} is no regular file; remove it")


def begin(session: Session, path: Path) -> int:
    """Begin a transaction, fix what it sees, and return the version of the schema that it sees."""
    refuse_planted(path)
    session.check()
    session.execute("BEGIN")
    return int(session.execute("PRAGMA schema_version").fetchone()[0])


def undo(session: Session) -> None:
    """Roll a transaction back, where one is open, and check what it has read."""
    if session.in_transaction:
        session.execute("ROLLBACK")
    session.check()
