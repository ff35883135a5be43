"""One stream in each watermark store, side by side."""

import datetime as dt

from airflow.sdk import DAG
from held import HeldOperator

from tests.support.airflow_features import STORES

with DAG("frozen", schedule=None, start_date=dt.datetime(2026, 11, 1, tzinfo=dt.UTC)):
    for name, store in STORES.items():
        HeldOperator(
            task_id=name,
            source_conn_id="legacy_crm",
            table=f"frozen_{name}",
            watermark_columns=["updated_at"],
            watermark_store=store,
            topic=f"real.frozen_{name}",
            topic_partitions=1,
            batch_rows=10,
            rows_per_second=40,
        )
