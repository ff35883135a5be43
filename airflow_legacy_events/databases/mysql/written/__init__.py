"""Catalog facts of MySQL and MariaDB that decide how complete a run can be."""

from airflow_legacy_events.databases.mysql.written.asking import further_columns, parameters_of, written_in
from airflow_legacy_events.databases.mysql.written.facts import Given, Reference, Sequence, Trigger, Writing

__all__ = ["Given", "Reference", "Sequence", "Trigger", "Writing", "further_columns", "parameters_of", "written_in"]
