"""What the Airflow under test has, 3.2 less than 3.3, and what the tests and their DAGs agree on."""

import airflow.sdk
from airflow.utils.types import DagRunType

from tests.support.profile import LONG

HAS_STATE = "NEVER_EXPIRE" in airflow.sdk.__all__
"""Whether it keeps state for task instances and assets."""

STORES = {"variable": "variable", "table": "table:legacy_crm", "asset": "asset", "xcom": "xcom"}
"""Watermark stores, by the names that the tests give their streams."""
if not HAS_STATE:
    del STORES["asset"]

BY_AN_OPERATOR = "operator_triggered" if hasattr(DagRunType, "OPERATOR_TRIGGERED") else "manual"
"""The type of a run that another DAG triggers."""

TOGETHER = ("together_1", "together_2", "together_3", "together_4")
"""Tables whose streams reach a topic for the first time at one moment."""

FIRST_MEETINGS = 20 if LONG else 3
"""How often they do so, each time on a topic of its own."""
