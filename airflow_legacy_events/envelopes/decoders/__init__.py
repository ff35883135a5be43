"""Decoders: what the messages of a topic mean for the rows of a table."""
