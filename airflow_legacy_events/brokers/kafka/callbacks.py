"""Callbacks of librdkafka besides delivery reports: errors and statistics."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from airflow_legacy_events.brokers.kafka.secrets import Hider
from airflow_legacy_events.brokers.kafka.verdicts import ALL_BROKERS_DOWN


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

    def __call__(self, error: Any) -> None:
        """Called by librdkafka, from `poll` and `flush`."""
        if error.code() != ALL_BROKERS_DOWN or not self.text:
            self.code, self.text = error.code(), self.hide(error.str())
        if self._then is not None:
            self._then(error)


def callbacks(config: Mapping[str, Any], log: logging.Logger) -> tuple[dict[str, Any], LastError]:
    """Return the callbacks of a client, and the keeper of its last error.

    Statistics are sent only to a connection with `statistics.interval.ms`; without a `stats_cb` they go to the log.
    """
    errors = LastError(config.get("error_cb"), Hider(config))
    stats = config.get("stats_cb") or (lambda text: log.info("librdkafka statistics: %s", text))
    return {"error_cb": errors, "stats_cb": stats}, errors
