"""Rows without a key: whole loads as one stream, and whole values of the watermark at a time."""
