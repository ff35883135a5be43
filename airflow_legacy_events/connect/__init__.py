"""Kafka Connect over its REST interface: requests, states, configs; no Airflow."""
