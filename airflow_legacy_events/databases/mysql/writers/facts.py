"""Catalog facts about a MySQL or MariaDB table that decide how complete a run can be."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Writing(NamedTuple):
    """What `Database.writers` needs of the catalog.

    Attributes:
        user: as in a GRANT.
        digits: fractional digits of the seconds of time columns.
    """

    user: str = ""
    digits: Mapping[str, int] = MappingProxyType({})
