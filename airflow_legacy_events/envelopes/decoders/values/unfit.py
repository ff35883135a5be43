"""A value that does not fit its column."""

from __future__ import annotations


class UnfitError(Exception):
    """The value can't be held exactly; its text says why, without the value."""
