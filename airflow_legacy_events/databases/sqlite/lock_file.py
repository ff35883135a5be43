"""Lock file of a stream: its location, and the check that it is a valid lock file.

It is beside the database. If the folder or file system is read-only, it is in a private folder of this user instead:
then it is shared only by this user's processes on this machine. An existing file beside the database is always used, so
that users who can create one and users who can't share it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import stat
import tempfile
from pathlib import Path
from typing import NamedTuple

from airflow_legacy_events.core.errors import SourceError

_FLAGS = os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW
_TRIES = 5
_ROOT = 0
_COMMON = Path("/tmp")  # noqa: S108  shared, independent of TMPDIR; its contents are checked
_REMEDY = "Remove what is there; the next run creates the file"
_NO_FILE = f"is not a regular file. {_REMEDY}"
_ONE_USER, _GROUP, _OTHERS = 0o600, 0o060, 0o006


class LockFile(NamedTuple):
    """An open lock file.

    Attributes:
        path: of the file.
        file: its descriptor.
    """

    path: Path
    file: int

    def is_there(self) -> bool:
        """Whether the open file is still the one at that path."""
        try:
            return os.path.samestat(self.path.lstat(), os.fstat(self.file))
        except FileNotFoundError:
            return False


def open_lock_file(stream: str, database: Path, name: str, log: logging.Logger) -> LockFile:
    """Return the open lock file, created if missing. Links are not followed, and nothing is written.

    Args:
        stream: for messages.
        database: its file, symbolic links resolved.
        name: of the lock.
        log: of the task; gets a warning if only this user's processes share the lock.

    Raises:
        SourceError: it can't be created or opened, or the path is not a lock file of a user who may create one.
    """
    beside = database.with_name(f"{database.name}.{name}.lock")
    try:
        return LockFile(beside, _open(beside, database))
    except _NotHereError as why:
        reason = str(why)
    except OSError as error:
        raise unusable(stream, beside, _words(error)) from None
    digest = hashlib.sha256(os.fsencode(database)).hexdigest()[:16]
    path = _own_folder(stream) / f"{digest}.{name}.lock"
    try:
        found = LockFile(path, _open(path, database))
    except (OSError, _NotHereError) as error:
        raise unusable(stream, path, _words(error)) from None
    log.warning(
        "the lock file of stream %s is in %s, since the folder of the database %s; it keeps out only processes of this"
        " user on this machine. If others work on the stream too, give the worker's user write access to that folder",
        stream,
        path.parent,
        reason,
    )
    return found


def unusable(stream: str, path: Path, why: str) -> SourceError:
    """Return the error for a lock file that can't be used."""
    return SourceError(f"the lock of stream {stream!r} is the file {str(path)!r}, and it {why}. Nothing was read")


class _NotHereError(Exception):
    """No file can be created here."""


class _RefusedError(OSError):
    """The file at this path is not a lock file."""


def _open(path: Path, database: Path) -> int:
    for _ in range(_TRIES):
        try:
            file = os.open(path, _FLAGS)
        except FileNotFoundError:
            made = _make(path, database)
            if made is not None:
                return made
            continue
        except OSError as error:
            if error.errno == errno.EROFS:
                raise _NotHereError("is read-only") from None
            raise
        found = os.fstat(file)
        why = _why_not(found, path, database)
        if why is None:
            _close_to_readers(file, found)
            return file
        os.close(file)
        if why:
            raise _RefusedError(errno.EPERM, why)
    raise _RefusedError(errno.EAGAIN, "keeps being removed. Find out what removes it; the next run creates it")


def _make(path: Path, database: Path) -> int | None:
    """Return a newly created file; None if another process was faster."""
    try:
        file = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, _ONE_USER)
    except FileExistsError:
        return None
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise _NotHereError("can't be written to") from None
        raise
    with contextlib.suppress(OSError):  # of a group without this user
        _share(file, path, database)
    return file


def _share(file: int, path: Path, database: Path) -> None:
    """Allow locking by users who may write to the database or create the lock, such as several users of one group."""
    data, folder = database.stat(), path.parent.stat()
    if data.st_mode & _GROUP == _GROUP:
        os.fchown(file, -1, data.st_gid)
        os.fchmod(file, _ONE_USER | _GROUP)
    elif path.parent == database.parent and folder.st_mode & stat.S_IWGRP:
        os.fchown(file, -1, folder.st_gid)
        os.fchmod(file, _ONE_USER | _GROUP)
    if data.st_mode & _OTHERS == _OTHERS:
        os.fchmod(file, _ONE_USER | _GROUP | _OTHERS)


def _close_to_readers(file: int, found: os.stat_result) -> None:
    """Remove read-only access to our own file, which earlier releases allowed: read access is enough to lock it."""
    shared = sum(one for one in (_GROUP, _OTHERS) if found.st_mode & one == one)
    if found.st_uid == os.geteuid() and found.st_mode & (_GROUP | _OTHERS) != shared:
        os.fchmod(file, _ONE_USER | shared)


def _why_not(found: os.stat_result, path: Path, database: Path) -> str | None:
    """Return why an open file is not a lock file; empty if it was removed meanwhile, None if it is one."""
    if not stat.S_ISREG(found.st_mode):
        return _NO_FILE
    if found.st_nlink != 1:
        return f"has {found.st_nlink} hard links, so it may be another file. {_REMEDY}" if found.st_nlink else ""
    folder = path.parent.stat()
    trusted = {_ROOT, os.geteuid(), database.stat().st_uid, folder.st_uid}
    if found.st_uid not in trusted and folder.st_mode & stat.S_IWOTH:
        return f"belongs to another user, uid {found.st_uid}, in a world-writable folder. {_REMEDY}"
    return None


def _own_folder(stream: str) -> Path:
    """Return the folder of this user's locks, created if missing."""
    common = _COMMON if os.access(_COMMON, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())
    folder = common / f"airflow-legacy-events-{os.geteuid()}"
    try:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
    except OSError as error:
        raise unusable(stream, folder, _words(error)) from None
    private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077
    if not private:
        raise unusable(stream, folder, "is not a folder of this user alone, with mode 0700. Remove what is there")
    return folder


def _words(error: Exception) -> str:
    if isinstance(error, _RefusedError):
        return str(error.strerror).removesuffix(".")
    number = getattr(error, "errno", None)
    if number == errno.ELOOP:
        return f"is a symbolic link, which is not followed. {_REMEDY}"
    if number == errno.EISDIR:
        return _NO_FILE
    if number == errno.EACCES:
        return (
            "belongs to another user and is not shared. Let both users' group write to the database, and give the file"
            " that group and mode 0660"
        )
    return f"can't be opened: {getattr(error, 'strerror', None) or error}"
