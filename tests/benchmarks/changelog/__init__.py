"""Benchmark of the change log, beside Debezium's connector for PostgreSQL."""
