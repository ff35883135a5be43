"""One stream in each watermark store, in a file that a test breaks; and an asset whose state Airflow then deletes."""

import datetime as dt

from airflow.sdk import DAG, Asset, task

from airflow_legacy_events.operators.query import IncrementalQueryOperator
from tests.support.airflow_features import STORES

START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
CONTROL = Asset("control")

with DAG("imported", schedule=None, start_date=START):
    for name, store in STORES.items():
        IncrementalQueryOperator(
            task_id=name,
            source_conn_id="legacy_crm",
            table="imported",
            watermark_columns=["updated_at"],
            watermark_store=store,
            topic=f"real.imported_{name}",
            topic_partitions=1,
        )

    @task(outlets=[CONTROL])
    def control(asset_state_store=None):
        asset_state_store[CONTROL].set("watermark", "42")

    control()
