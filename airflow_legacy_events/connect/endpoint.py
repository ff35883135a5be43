"""Addresses of a Kafka Connect cluster, and how its workers are spoken to."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from airflow_legacy_events.core.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A cluster.

    Attributes:
        name: what an error calls it, such as ``connection 'kafka_connect_default'``.
        addresses: URLs of its workers; the next one is tried where one is away.
        login: user of basic authentication; None: none.
        password: of the user.
        verify: whether certificates are verified, or the path of a file with certificate authorities.
        cert: path of the client's certificate, or of the certificate and its key.
        headers: of every request; they may hold secrets.
        timeout: seconds that a worker may take for one answer.
    """

    name: str
    addresses: tuple[str, ...]
    login: str | None = None
    password: str = field(default="", repr=False)
    verify: bool | str = True
    cert: str | tuple[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 30.0

    @property
    def auth(self) -> httpx.BasicAuth | None:
        """Return the login for httpx."""
        return None if self.login is None else httpx.BasicAuth(self.login, self.password)

    @property
    def secrets(self) -> frozenset[str]:
        """Return what must not be in an error."""
        return frozenset({self.password, *self.headers.values()} - {""})

    def tls(self) -> ssl.SSLContext | bool:
        """Return the TLS settings for httpx; False where no address uses TLS, since reading authorities takes time.

        Raises:
            ConfigurationError: a file of certificates can't be read.
        """
        if not any(address.startswith("https:") for address in self.addresses):
            return False
        try:
            return self._context()
        except OSError as error:  # ssl.SSLError is one
            raise ConfigurationError(
                f"the files in `verify` and `cert` of {self.name} can't be used: {type(error).__name__}:"
                f" {error.strerror or error}. Both are paths of PEM files on the machine of the Airflow worker"
            ) from None

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.verify if isinstance(self.verify, str) else None)
        if self.verify is False:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if self.cert is not None:
            context.load_cert_chain(*([self.cert] if isinstance(self.cert, str) else self.cert))
        return context
