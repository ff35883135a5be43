"""Turn the rows of legacy databases into event streams, from ordinary Airflow tasks."""

__version__ = "0.1.0"
