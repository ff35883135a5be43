"""Positions: where a connector's offset lies in the log of its source, and what it says of a snapshot."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from airflow_legacy_events.core.errors import ConnectError
from airflow_legacy_events.core.ports import LogPlace, Partition

PREFIX = "topic.prefix"

_FILE = re.compile(r"(.+)\.([0-9]+)", re.ASCII)
_HALF = 32
_LSNS = ("lsn", "lsn_proc", "lsn_commit")
_NONE = (None, False, "", "false", "FALSE")


def present_offset(
    offsets: Collection[Mapping[str, Any]] | None, config: Mapping[str, str]
) -> Mapping[str, Any] | None:
    """Return a source connector's offset for its present `topic.prefix`; None if it has none yet.

    A connector that was created again under its name still has those of a former prefix beside it.

    Args:
        offsets: as Kafka Connect gives them; None for none.
        config: of the connector.
    """
    prefix = config.get(PREFIX)
    for one in offsets or ():
        if (one.get("partition") or {}).get("server") == prefix and isinstance(one.get("offset"), Mapping):
            found: Mapping[str, Any] = one["offset"]
            return found
    return None


def place_of(offset: Mapping[str, Any]) -> LogPlace:
    """Return where an offset of Debezium lies: all transactions that committed before it are in Kafka.

    For MariaDB and MySQL that is the start of the last transaction of which something was sent.

    Raises:
        ConnectError: it has the form of another connector.
    """
    if (lsn := _whole(offset.get("lsn"))) is not None:
        return lsn_place(lsn)
    file, position = offset.get("file"), _whole(offset.get("pos"))
    if isinstance(file, str) and position is not None and (found := _FILE.fullmatch(file)) is not None:
        return LogPlace((int(found[2]), position), f"{file}:{position}")
    raise ConnectError(
        "the connector's offset has no LSN and no place of a binlog, so it can't be compared with the log of its"
        f" source. Its fields are {', '.join(sorted(offset))}",
        retry_helps=False,
    )


def lsn_place(lsn: int) -> LogPlace:
    """Return the place of an LSN, which Debezium writes as a number."""
    return LogPlace((lsn,), f"{lsn >> _HALF:X}/{lsn & (1 << _HALF) - 1:X}")


def furthest_lsn(offset: Mapping[str, Any]) -> LogPlace | None:
    """Return the highest LSN in an offset, up to which a connector lets its slot move; None without any."""
    found = [number for name in _LSNS if (number := _whole(offset.get(name))) is not None]
    return lsn_place(max(found)) if found else None


def in_snapshot(offset: Mapping[str, Any]) -> bool:
    """Return whether an offset is that of an initial snapshot that has not ended: its place is where that began."""
    if offset.get("snapshot") in _NONE:
        return False
    completed = offset.get("snapshot_completed", offset.get("last_snapshot_record"))
    return completed not in (True, "true")


def same_log(one: LogPlace, other: LogPlace) -> bool:
    """Return whether two places can be of one server's log: the files of a binlog have one name."""
    return _base(one) == _base(other)


def sink_offsets(offsets: Collection[Mapping[str, Any]] | None) -> dict[Partition, int]:
    """Return the offsets of a sink, by partition.

    Args:
        offsets: as Kafka Connect gives them; None for none.
    """
    found = {}
    for one in offsets or ():
        partition, offset = one.get("partition") or {}, one.get("offset") or {}
        number, at = _whole(partition.get("kafka_partition")), _whole(offset.get("kafka_offset"))
        if "kafka_topic" in partition and number is not None and at is not None:
            found[Partition(str(partition["kafka_topic"]), number)] = at
    return found


def _base(place: LogPlace) -> str:
    return place.text.rpartition(":")[0].rpartition(".")[0]


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
