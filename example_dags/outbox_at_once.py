"""An outbox drained as soon as rows are committed: the triggerer listens and looks, no worker waits."""

from airflow.sdk import DAG, Asset, AssetWatcher

from airflow_legacy_events.operators.outbox import OutboxDrainOperator
from airflow_legacy_events.triggers.outbox import PendingOutboxTrigger

outbox = {"source_conn_id": "legacy_crm", "table": "order_outbox"}
rows = AssetWatcher(name="rows_in_order_outbox", trigger=PendingOutboxTrigger(channel="order_outbox", **outbox))

with DAG("outbox_at_once", schedule=[Asset("order_outbox_has_rows", watchers=[rows])], max_active_runs=1):
    OutboxDrainOperator(
        task_id="drain",
        topic="crm.order.{event_type}",
        topic_partitions=3,
        allowed_topics=["crm.order.*"],
        **outbox,
    )
