"""Transaction of a database that is known only through its dialect."""

from __future__ import annotations

from airflow_legacy_events.databases.applying.unit import SqlUnit
from airflow_legacy_events.databases.generic.target.columns import is_firebird


class GenericUnit(SqlUnit):
    """See `SqlUnit`; many databases take fewer parameters in a statement."""

    keys_per_statement = 200

    @property
    def trusts_triggers(self) -> bool:
        """See `SqlUnit`; a trigger of Firebird raises an exception, or lets the row pass."""
        return is_firebird(self.connection.dialect)
