"""A MariaDB with TLS, and what connections ask of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.services.mariadb import MariaDB
from tests.support.certificates import Authority


class Encrypted(MariaDB):
    """A MariaDB with a certificate that can be exchanged while it runs."""

    variable = "LEGACY_EVENTS_TEST_ENCRYPTED_MARIADB_DSN"

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "server.pem", folder / "server.key"
        self.ours, self.other = Authority(folder, "ours"), Authority(folder, "other")
        self.ours.sign(self.certificate, self.key, "127.0.0.1")
        self.settings = MariaDB.settings | {"ssl-cert": str(self.certificate), "ssl-key": str(self.key)}
        super().__init__()

    def present(self, *hosts: str) -> None:
        self.ours.sign(self.certificate, self.key, *hosts)
        self.execute("FLUSH SSL")


@contextmanager
def encrypted_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encrypted]:
    """Yield such a server, of a test module's own."""
    folder = tmp_path_factory.mktemp("certificates")
    folder.chmod(0o755)
    server = Encrypted(folder)
    try:
        yield server
    finally:
        server.stop()


def filled(extra: dict[str, Any], server: Encrypted) -> Any:
    """Extras of a connection, the authorities by their files."""
    text = json.dumps(extra).replace("OURS", str(server.ours.path)).replace("OTHER", str(server.other.path))
    return json.loads(text)


def without_tls(sent: bytes) -> bytes:
    """A server's greeting as somebody between changes it: it can't speak TLS."""
    if sent[3:5] != b"\0\x0a":
        return sent
    at = sent.index(b"\0", 5) + 1 + 4 + 8 + 1
    return sent[: at + 1] + bytes([sent[at + 1] & ~0x08]) + sent[at + 2 :]
