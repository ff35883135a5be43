"""Facts of a sink's watermark that several parts know by name."""

from __future__ import annotations

LOWERED = "lowered"
"""Reasons why the completeness is `best_effort`: sentences by kind, until a person rewinds or forgets it."""

MET = "met"
"""What messages add, as plain JSON by name; later watermarks keep it. Its part `LOWERED` counts as well."""
