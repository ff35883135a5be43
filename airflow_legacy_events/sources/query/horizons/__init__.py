"""Horizons: how far the rows of a table are final, since every transaction that may write below has ended."""
