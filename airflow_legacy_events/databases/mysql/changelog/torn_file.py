"""The error for a file of the binlog that ends inside of an event, as after a crash of the server."""

from __future__ import annotations

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace


class TornFileError(SourceError):
    """A file of the binlog ends inside of an event.

    Attributes:
        place: where that event begins, as far as that is known.
    """

    def __init__(self, message: str, place: BinlogPlace) -> None:
        super().__init__(message)
        self.place = place
