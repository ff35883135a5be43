"""Partitions: the leaves below partitioned tables, which are what the log names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from airflow_legacy_events.databases.postgres.changelog.session import LogSession

_LEAVES = """
WITH RECURSIVE tree (root, oid) AS (
  SELECT o, o FROM unnest(%s::oid[]) AS o
  UNION ALL
  SELECT root, i.inhrelid FROM tree JOIN pg_inherits AS i ON i.inhparent = tree.oid
)
SELECT root::int8, c.oid::int8, c.oid::regclass::text, c.relkind::text, c.relpersistence::text,
       c.relreplident::text, c.reltuples <> 0 OR pg_relation_size(c.oid) > 0
  FROM tree JOIN pg_class AS c ON c.oid = tree.oid
 WHERE c.relkind <> 'p' ORDER BY root, c.oid
"""


class Leaf(NamedTuple):
    """A table that holds rows: a partition without partitions of its own, or a table that is not partitioned.

    Attributes:
        oid: of it.
        name: as SQL spells it.
        kind: `relkind`.
        persistence: `relpersistence`.
        identity: `relreplident`.
        filled: whether it may have rows.
    """

    oid: int
    name: str
    kind: str
    persistence: str
    identity: str
    filled: bool


def find_leaves(session: LogSession, oids: Collection[int]) -> Mapping[int, tuple[Leaf, ...]]:
    """Return the leaves of each table; a table that is not partitioned is its own leaf."""
    found: dict[int, tuple[Leaf, ...]] = dict.fromkeys(oids, ())
    for root, *leaf in session.ask("looking at the partitions", _LEAVES, (list(oids),)):
        found[root] += (Leaf(*leaf),)
    return found
