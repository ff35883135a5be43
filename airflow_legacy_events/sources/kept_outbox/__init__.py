"""Kept outbox: its rows stay as they are, and are read like those of a query, by position and below a horizon."""
