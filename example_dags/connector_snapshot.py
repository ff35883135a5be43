"""Rows that a connector did not send, such as those of a table that was added: a signal sends them again."""

from airflow.sdk import DAG

from airflow_legacy_events.operators.connect import DebeziumSignalOperator

with DAG("connector_snapshot", schedule=None, params={"tables": ["public.lines"]}, render_template_as_native_obj=True):
    DebeziumSignalOperator(
        task_id="snapshot",
        connector="erp",
        signal="execute-snapshot",
        tables="{{ params.tables }}",
        source_conn_id="legacy_erp",
    )
