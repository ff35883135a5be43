"""An outbox table, drained: its rows are published, then deleted or marked.

Nothing is imported here: a DAG is parsed with `layouts` alone.
"""
