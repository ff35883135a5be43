"""Margin between a database's clock and the times that a run may read."""

from __future__ import annotations

import datetime as dt

CLOCK_MARGIN = dt.timedelta(seconds=1)
"""How far the mark of a time column stays behind the database's clock.

A server reads its clock when a statement arrives, and shows the statement to other sessions a moment later. A writer in
between is not seen yet, but its rows already have their time.
"""
