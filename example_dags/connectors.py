"""Tables of PostgreSQL on topics by Debezium: a connector is declared, and what was committed is in Kafka."""

from airflow.sdk import DAG

from airflow_legacy_events.connect import debezium_source
from airflow_legacy_events.operators.connect import ConnectorUpsertOperator
from airflow_legacy_events.sensors.connect import ConnectorCaughtUpSensor

source = debezium_source(
    source_conn_id="legacy_erp",
    topic_prefix="erp",
    tables=["public.orders", "public.lines"],
    topics="shop.{table}",
    signal_table="public.debezium_signal",
)

with DAG("connectors", schedule="@hourly", catchup=False):
    declared = ConnectorUpsertOperator(task_id="declare", connector="erp", config=source)
    declared >> ConnectorCaughtUpSensor(task_id="caught_up", connector="erp", source_conn_id="legacy_erp")
