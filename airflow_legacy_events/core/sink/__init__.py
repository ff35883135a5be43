"""Sink: changes of a topic applied to tables, with the position in the transaction of the rows."""
