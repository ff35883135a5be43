"""Overlap: rows below the watermark are read again, and those that were not delivered yet are sent."""
