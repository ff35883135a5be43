"""`airflow legacy-events outbox`: SQL for the side of an outbox that an application writes."""
