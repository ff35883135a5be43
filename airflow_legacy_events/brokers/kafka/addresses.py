"""Addresses of brokers, as librdkafka reads them in `bootstrap.servers`."""

from __future__ import annotations


def first_broker(written: str) -> str:
    """Return the first address of a list, as it was written but for its protocol; empty where there is none.

    Commas and blanks part addresses. `SASL_SSL://kafka-1:9092/` is `kafka-1:9092`, since a path counts for nothing.
    """
    addresses = [one for part in written.split(",") if (one := part.strip())]
    if not addresses:
        return ""
    protocol, found, host = addresses[0].partition("://")
    return host.partition("/")[0].strip() if found else protocol
