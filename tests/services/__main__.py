"""Start the servers that tests share, once for many processes.

With a command: run it with their addresses in its environment, and end with its exit status. Without one: print the
addresses for a shell to `eval`, and keep the servers until SIGINT or SIGTERM. A server whose variable is set already
is not started; one that can't be started is left to the tests that need it.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from tests.services import browser, firebird, pgbouncer
from tests.services.base import MissingServiceError, end_with_parent
from tests.services.kafka import QUICK_START
from tests.services.servers import SERVERS, SHARED, Server

_STOP_SECONDS = 20.0
"""What has not ended by then gets SIGTERM with the end of this process."""


class Started(threading.Thread):
    """Starts a server, and lives until `leave` is set: a server ends with the thread that started it.

    Args:
        server: to be started.
        others: those that are started too; the one that it needs is waited for.
    """

    def __init__(self, server: Server, others: Mapping[str, Started]) -> None:
        super().__init__(name=server.name, daemon=True)
        self.server, self.others = server, others
        self.ready, self.leave = threading.Event(), threading.Event()
        self.address = ""

    def run(self) -> None:
        """Start the server, say how long it took, stop it when that is asked for."""
        began = time.monotonic()
        try:
            with self.server.running(*self._needed()) as running:
                self.address = running.address
                say(f"{self.name}: ready after {time.monotonic() - began:.1f} s")
                self.ready.set()
                self.leave.wait()
                for line in running.crashes:
                    say(f"{self.name}: {line}")
        except Exception as error:  # noqa: BLE001  the tests that need it meet the error again
            say(f"{self.name}: not started: {error}")
        finally:
            self.ready.set()

    def _needed(self) -> list[str]:
        """Return the address of the server that this one needs, once it is there."""
        if not (needs := self.server.needs):
            return []
        if (other := self.others.get(needs)) is not None:
            other.ready.wait()
        address = other.address if other is not None else os.environ.get(SERVERS[needs].variable, "")
        if not address:
            raise MissingServiceError(f"{self.name} needs {needs}, which is neither started nor given")
        return [address]


def main(words: Sequence[str] | None = None) -> int:
    """Start, run or wait, stop; return the exit status."""
    asked = _arguments(words)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    out = _keep_output()
    os.environ.update(QUICK_START)
    by_name: dict[str, Started] = {}
    by_name |= {
        name: Started(server, by_name) for name, server in SERVERS.items() if name in asked.only and not server.given
    }
    started = [*by_name.values()]
    try:
        for one in started:
            one.start()
        for one in started:
            one.ready.wait()
        threading.Thread(target=_install_programs, daemon=True).start()
        addresses = {one.server.variable: one.address for one in started if one.address}
        if asked.command:
            return _run(asked.command, addresses, out)
        out.writelines(f"export {name}={shlex.quote(address)}\n" for name, address in addresses.items())
        out.close()  # whoever reads the addresses from a pipe goes on
        while True:
            signal.pause()
    finally:
        for one in started:
            one.leave.set()
        for one in started:
            one.join(_STOP_SECONDS)


def say(text: str) -> None:
    """Print a line for the person who watches."""
    print(text, file=sys.stderr, flush=True)


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.services", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SERVERS, default=SHARED, help="start these servers only")
    parser.add_argument("command", nargs="*", help="what to run, behind --")
    return parser.parse_args(words)


def _leave(number: int, _frame: Any) -> None:
    raise SystemExit(128 + number)


def _install_programs() -> None:
    """Install what single tests need, so that they need not wait for it."""
    for install in (browser.executable, firebird.install, pgbouncer.install):
        try:
            install()
        except MissingServiceError as error:
            say(str(error))


def _keep_output() -> TextIO:
    """Return standard output; what the programs of servers print goes to standard error from here on."""
    kept = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return kept


def _run(command: Sequence[str], addresses: Mapping[str, str], out: TextIO) -> int:
    process = subprocess.Popen(command, env=os.environ | addresses, stdout=out, preexec_fn=end_with_parent())  # noqa: PLW1509
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the command, too
    signal.signal(signal.SIGTERM, lambda number, _frame: process.send_signal(number))
    status = process.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
