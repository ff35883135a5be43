"""A PostgreSQL primary and standbys of it, of a test's own: they may be stopped and promoted."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from unittest import mock

from tests.services.base import wait_until
from tests.services.postgres import _SETTINGS, Postgres


@contextmanager
def restartable(kind: type[Postgres]) -> Iterator[Any]:
    """A server of its own with logical decoding, which can be ended and started again; its settings can be altered."""
    with mock.patch.dict(os.environ), mock.patch.dict(_SETTINGS):
        os.environ.pop(kind.variable, None)
        for name in ("wal_level", "max_replication_slots", "max_wal_senders", "max_wal_size"):
            del _SETTINGS[name]  # what a server is started with can't be altered
        server = _Restartable.of(kind)()
    try:
        server.execute("ALTER SYSTEM SET wal_level = 'logical'")
        server.end()
        server.go_on()
        yield server
    finally:
        server.stop()


def reset(server: Any) -> None:
    """Set the settings of a `restartable` server back."""
    for statement in ("ALTER SYSTEM RESET ALL", "ALTER SYSTEM SET wal_level = 'logical'", "SELECT pg_reload_conf()"):
        server.execute(statement)


@contextmanager
def primary_and_standby(kind: type[Postgres]) -> Iterator[tuple[Any, Any]]:
    """A primary, and a standby that streams from it."""
    with mock.patch.dict(os.environ):
        os.environ.pop(kind.variable, None)
        primary = _Restartable.of(kind)()
        try:
            primary.end()
            standby = _Standby.of(kind, primary)()
            try:
                yield primary, standby
            finally:
                standby.stop()
        finally:
            primary.stop()


class _Restartable(Postgres):
    """A server that can be ended and started again."""

    _command: tuple[Any, ...] = ()

    @classmethod
    def of(cls, kind: type[Postgres]) -> type[_Restartable]:
        return cast("type[_Restartable]", type(f"{cls.__name__}Of", (cls, kind), {}))

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def spawn(self, command: Any, **options: Any) -> None:
        self._command = (command, options)
        super().spawn(command, **options)

    def end(self) -> None:
        """Shut down, so that the files hold everything."""
        assert self.process is not None
        self._signal(signal.SIGINT)
        self.process.wait(30)

    def go_on(self) -> None:
        """Start again, with the files as they are."""
        command, options = self._command
        super().spawn(command, **options)
        self.wait_ready(self._answers)


class _Standby(_Restartable):
    """A server that is begun with the files of one that has ended, and follows it."""

    primary: Any = None

    @classmethod
    def of(cls, kind: type[Postgres], primary: Any = None) -> type[_Restartable]:
        return cast("type[_Restartable]", type("StandbyOf", (cls, kind), {"primary": primary}))

    def spawn(self, command: Any, **options: Any) -> None:
        shutil.rmtree(self.data)
        shutil.copytree(self.primary.data, self.data, symlinks=True)
        for path in (self.data, *self.data.rglob("*")):
            shutil.copystat(self.primary.data, self.data)
            if options.get("user"):
                shutil.chown(path, options["user"])
        self.primary.go_on()
        (self.data / "standby.signal").touch()
        follows = f"-cprimary_conninfo={self.primary.address}"
        super().spawn([*command, follows], **options)

    def follow(self) -> None:
        """Wait until everything that the primary has written is here."""
        [(there,)] = self.primary.execute("SELECT pg_current_wal_flush_lsn()")
        wait_until(lambda: self.execute(f"SELECT pg_last_wal_replay_lsn() >= '{there}'") == [(True,)], "catching up")

    def promote(self) -> None:
        """Make it a primary of its own; no checkpoint is waited for."""
        assert self.execute("SELECT pg_promote()") == [(True,)]
