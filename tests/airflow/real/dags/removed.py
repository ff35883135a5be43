"""A DAG whose file a test removes."""

from airflow.sdk import DAG

with DAG("removed", schedule=None):
    pass
