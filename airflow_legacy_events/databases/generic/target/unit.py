"""Transaction of a database that is known only through its dialect."""

from __future__ import annotations

from airflow_legacy_events.databases.applying.unit import SqlUnit


class GenericUnit(SqlUnit):
    """See `SqlUnit`; many databases take fewer parameters in a statement."""

    keys_per_statement = 200
