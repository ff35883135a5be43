"""Catalog facts about a PostgreSQL table that decide how complete a run can be."""

from __future__ import annotations

from typing import NamedTuple


class Writing(NamedTuple):
    """What `Database.writers` needs of the catalog.

    Attributes:
        kind: of the relation, as in the catalog.
    """

    kind: str
