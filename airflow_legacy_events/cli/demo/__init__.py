"""Demo: a legacy shop, an embedded broker and one DAG show the package on one screen.

`python -m airflow_legacy_events.cli.demo` needs only the installed package; its files are in
`$XDG_CACHE_HOME/airflow-legacy-events/demo`.
"""
