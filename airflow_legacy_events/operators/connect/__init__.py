"""Operators that steer connectors of Kafka Connect."""
