"""Error: what the columns of a table are is not known at a place of the log."""

from __future__ import annotations

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace
from airflow_legacy_events.databases.mysql.changelog.places import text_of


class UnknownColumnsError(SourceError):
    """The names, types or key of a table's columns are not known at a place of the log.

    Attributes:
        table: whose rows can't be read there.
        why: in words, for a gap.
    """

    retry_helps = False

    def __init__(self, table: TableName, why: str, where: BinlogPlace) -> None:
        super().__init__(
            f"table {str(table)!r}: {why}, at {text_of(where)} of the log; nothing behind it was sent.\nTo pass it and"
            f' read the table again, run with the configuration {{"snapshot": ["{table}"]}}'
        )
        self.table, self.why = table, why
