"""Facts of a target table that statements are made from."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.databases.mysql.grants import quoted
from airflow_legacy_events.databases.mysql.target.columns import CatalogColumn
from airflow_legacy_events.databases.mysql.target.keys import KeyColumn


@dataclass(frozen=True)
class MysqlTable:
    """A table as the catalog has it.

    Attributes:
        schema: that it is in.
        name: of it.
        columns: in the order of the shape.
        key: how its key columns are compared, or those of the event id of a table that is only appended to.
        key_index: name of the unique index over them; empty if there is none.
        looks: why rows that are there are looked up before rows are written; empty: one statement does both.
        triggers: what may change or refuse rows, in words; empty if nothing is known.
    """

    schema: str
    name: str
    columns: tuple[CatalogColumn, ...]
    key: tuple[KeyColumn, ...] = ()
    key_index: str = ""
    looks: str = ""
    triggers: str = ""

    @property
    def table(self) -> sa.TableClause:
        """The table, for SQLAlchemy."""
        return sa.table(self.name, schema=self.schema)

    @property
    def quoted(self) -> str:
        """Its name in SQL."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    def identity_of(self, shape: TargetShape, key: Sequence[str]) -> Hashable:  # noqa: ARG002
        """Return what is equal for equal keys, in texts of the shape.

        Texts that only a collation compares stay as they are: the server compares them when they are applied.
        """
        return tuple(one.fold(text) for one, text in zip(self.key, key, strict=True))
