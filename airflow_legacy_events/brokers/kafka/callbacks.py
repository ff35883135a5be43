"""Callbacks of librdkafka besides delivery reports: errors and statistics."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaError

from airflow_legacy_events.brokers.kafka.secrets import Hider
from airflow_legacy_events.brokers.kafka.verdicts import ALL_BROKERS_DOWN

UNREACHABLE = (
    "\nCheck the address, the network, the security settings and the brokers' advertised.listeners: the client connects"
    " to the addresses that a broker advertises, not to those of the connection"
)
"""What to check when a cluster does not answer; on its own line, because log pages truncate long ones."""


class LastError:
    """Keeps the client's last error for the message of a failure, and passes every error on.

    Args:
        then: the connection's own `error_cb`, if it has one.
        hide: removes the connection's secrets from a text.
    """

    def __init__(self, then: Callable[[Any], None] | None, hide: Hider) -> None:
        self._then, self.hide = then, hide
        self.code: int | None = None
        self.text = ""

    def said(self, error: Exception) -> str:
        """Return why a request failed, in the words of the client or the broker."""
        found = error.args[0] if error.args else None
        if isinstance(found, KafkaError):
            return self.hide(found.str()).rstrip(".")
        return "no answer in time" if isinstance(error, TimeoutError) else self.hide(str(error)).rstrip(".")

    def beside(self, found: str, client: Any = None) -> str:
        """Return what was found, followed by the client's last error if that adds something.

        Args:
            found: text without a full stop at its end.
            client: the client to poll for errors first; None: it was polled just now.
        """
        if client is not None:
            client.poll(0)
        if not self.text or self.text in found:
            return found
        return f"{found} (last error of the client: {self.text})"

    def __call__(self, error: Any) -> None:
        """Called by librdkafka, from `poll` and `flush`."""
        if error.code() != ALL_BROKERS_DOWN or not self.text:
            self.code, self.text = error.code(), self.hide(error.str())
        if self._then is not None:
            self._then(error)


def callbacks(config: Mapping[str, Any], log: logging.Logger) -> tuple[dict[str, Any], LastError]:
    """Return the callbacks of a client, and the object that keeps its last error.

    Statistics are emitted only for a connection with `statistics.interval.ms`; without a `stats_cb` they are logged.
    """
    errors = LastError(config.get("error_cb"), Hider(config))
    stats = config.get("stats_cb") or (lambda text: log.info("librdkafka statistics: %s", text))
    return {"error_cb": errors, "stats_cb": stats}, errors
