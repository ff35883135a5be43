"""ROTATE: the log continues in another file.

Body: position in it (8 bytes), then its name. The server also makes one up at the beginning of each dump and between
files; with a checksum if checksums are on, which nothing says before the first FORMAT_DESCRIPTION.
"""

from __future__ import annotations

from airflow_legacy_events.databases.mysql.changelog.binlog.bytes import Bytes
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace
from airflow_legacy_events.databases.mysql.changelog.places import number_of


def rotate(body: bytes) -> BinlogPlace:
    """Return the place where the log continues.

    Args:
        body: of the event, without its checksum.

    Raises:
        ValueError: it names no file of a binlog.
    """
    data = Bytes(body)
    position = data.number(8)
    name = data.rest().decode()
    number_of(name)
    return BinlogPlace(name, position)
