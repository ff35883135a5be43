"""The benchmark of the way back: a topic applied to a table."""
