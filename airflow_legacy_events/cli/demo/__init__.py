"""A legacy shop, an embedded broker and one DAG: what the package does, on one screen.

`python -m airflow_legacy_events.cli.demo` needs nothing but the installed package; its files lie in
`$XDG_CACHE_HOME/airflow-legacy-events/demo`.
"""
