"""Decoding of many messages at once, column by column; what does not fit is left to the exact way."""
