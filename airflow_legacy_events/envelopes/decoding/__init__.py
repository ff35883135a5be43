"""Decoding of a topic: what its messages change in the rows of tables."""
