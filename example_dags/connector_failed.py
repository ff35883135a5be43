"""A connector that FAILED is restarted: the triggerer watches it, and each failure starts one run."""

from airflow.sdk import DAG, Asset, AssetWatcher

from airflow_legacy_events.operators.connect import ConnectorRestartOperator
from airflow_legacy_events.triggers.connect import ConnectorStateTrigger

failed = AssetWatcher(name="erp_failed", trigger=ConnectorStateTrigger(connector="erp", states=["failed"]))

with DAG("connector_failed", schedule=[Asset("erp_connector_failed", watchers=[failed])], max_active_runs=1):
    ConnectorRestartOperator(task_id="restart", connector="erp", max_restarts=3)
