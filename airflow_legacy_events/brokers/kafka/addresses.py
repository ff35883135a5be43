"""Broker addresses, as librdkafka reads them in `bootstrap.servers`."""

from __future__ import annotations


def first_broker(written: str) -> str:
    """Return the first address of a list, as written but without its protocol; empty if there is none.

    Commas and blanks separate addresses. `SASL_SSL://kafka-1:9092/` is `kafka-1:9092`, because a path is ignored.
    """
    addresses = [one for part in written.split(",") if (one := part.strip())]
    if not addresses:
        return ""
    protocol, found, host = addresses[0].partition("://")
    return host.partition("/")[0].strip() if found else protocol
