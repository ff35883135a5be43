import tests.airflow.metadata  # noqa: F401  gives Airflow a home of its own before anything imports it
