"""The application name of this package's PostgreSQL sessions, by which its runs recognize one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OURS = "legacy-events"
"""Begins the application name of each session."""

_OPTION = "application_name"


def named(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the driver's options with an application name of ours; one from the connection follows it."""
    given = str(options.get(_OPTION) or "")
    name = given if given.startswith(OURS) else f"{OURS} {given}".rstrip()
    return {**options, _OPTION: name}
