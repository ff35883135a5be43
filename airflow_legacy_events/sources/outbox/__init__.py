"""Outbox drain: rows of an outbox table are published, then deleted or marked.

Nothing is imported here: parsing a DAG needs only `layouts`.
"""
