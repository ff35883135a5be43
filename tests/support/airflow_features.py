"""What the Airflow under test has; 3.2 has less than 3.3."""

import airflow.sdk
from airflow.utils.types import DagRunType

HAS_STATE = "NEVER_EXPIRE" in airflow.sdk.__all__
"""Whether it keeps state for task instances and assets."""

STORES = {"variable": "variable", "table": "table:legacy_crm", "asset": "asset", "xcom": "xcom"}
"""Watermark stores, by the names that the tests give their streams."""
if not HAS_STATE:
    del STORES["asset"]

BY_AN_OPERATOR = "operator_triggered" if hasattr(DagRunType, "OPERATOR_TRIGGERED") else "manual"
"""The type of a run that another DAG triggers."""
