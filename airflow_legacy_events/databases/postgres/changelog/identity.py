"""Replica identity: what the log has of old rows, and whether a table may enter a publication.

The application's UPDATE and DELETE of a published table without replica identity fail (SQLSTATE 55000). So no such
table may ever enter a publication of ours, nor one whose later partitions would have none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import LogTable
from airflow_legacy_events.databases.postgres.catalog import quoted
from airflow_legacy_events.databases.postgres.changelog.publication import GENERATED_SINCE
from airflow_legacy_events.databases.postgres.changelog.session import LogSession
from airflow_legacy_events.databases.postgres.changelog.trees import Leaf, find_leaves

# An index may include columns behind its key; they are no part of the identity.
_KEY = "(i.indkey::int2[])[0:i.indnkeyatts - 1]"
_INDEXES = """
SELECT i.indrelid::int8, i.indisprimary, i.indisreplident, i.indimmediate AND i.indisvalid,
       ARRAY(SELECT a.attname::text FROM pg_attribute AS a
              WHERE a.attrelid = i.indrelid AND a.attnum = ANY ({key}) ORDER BY a.attnum)
  FROM pg_index AS i WHERE i.indrelid = ANY (%s::oid[]) AND (i.indisprimary OR i.indisreplident)
""".replace("{key}", _KEY)
_GENERATED = """
SELECT attrelid::int8, attname::text, attgenerated::text FROM pg_attribute
 WHERE attrelid = ANY (%s::oid[]) AND attnum > 0 AND NOT attisdropped AND attgenerated <> ''
"""
_USABLE = """
SELECT quote_ident(c.relname), ARRAY(SELECT a.attname::text FROM pg_attribute AS a
                                      WHERE a.attrelid = i.indrelid AND a.attnum = ANY ({key})) AS columns
  FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
 WHERE i.indrelid = %s::oid AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL
   AND i.indexprs IS NULL
   AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = i.indrelid AND a.attnum = ANY ({key})
                      AND (NOT a.attnotnull OR a.attgenerated <> ''))
""".replace("{key}", _KEY)
_DOING = "looking at the replica identity"
_DEFAULT, _FULL, _INDEX, _NOTHING = "d", "f", "i", "n"
_FOREIGN, _UNLOGGED = "f", "u"
VIRTUAL = "v"


class Identity(NamedTuple):
    """What the log has of a table's old rows.

    Attributes:
        leaf: the table.
        columns: those of the key that the log has; empty if there is none, or if it is `full`.
        full: whether the log has all columns.
        primary: columns of its primary key, usable as identity or not.
    """

    leaf: Leaf
    columns: frozenset[str]
    full: bool
    primary: tuple[str, ...]

    @property
    def there(self) -> bool:
        """Whether UPDATE and DELETE of a published table work."""
        return self.full or bool(self.columns)

    def holds(self, key: Collection[str]) -> bool:
        """Whether the log has these columns of an old row."""
        return self.full or set(key) <= self.columns


class Identities(NamedTuple):
    """Of several tables, each by its oid.

    Attributes:
        leaves: of each requested table; one that is not partitioned is its own.
        generated: generated columns of each, with `attgenerated`.
        primary: primary key of each requested table, as the catalog has it; usable as identity or not.
    """

    leaves: Mapping[int, tuple[Identity, ...]]
    generated: Mapping[int, Mapping[str, str]]
    primary: Mapping[int, tuple[str, ...]]


def find_identities(session: LogSession, oids: Collection[int]) -> Identities:
    """Return the replica identities of tables, and of the leaves of partitioned ones."""
    trees = find_leaves(session, oids)
    every = list({*oids, *(leaf.oid for leaves in trees.values() for leaf in leaves)})
    indexes: dict[int, list[tuple[bool, bool, bool, list[str]]]] = {oid: [] for oid in every}
    for table, *index in session.ask(_DOING, _INDEXES, (every,)):
        indexes[table].append((index[0], index[1], index[2], index[3]))
    generated: dict[int, dict[str, str]] = {oid: {} for oid in every}
    for table, name, how in session.ask(_DOING, _GENERATED, (every,)):
        generated[table][name] = how
    primary = {oid: _primary(found) for oid, found in indexes.items()}
    identities = {
        oid: tuple(
            Identity(leaf, _columns(leaf, indexes[leaf.oid]), leaf.identity == _FULL, primary[leaf.oid])
            for leaf in leaves
        )
        for oid, leaves in trees.items()
    }
    return Identities(identities, generated, primary)


def _primary(indexes: Sequence[tuple[bool, bool, bool, list[str]]]) -> tuple[str, ...]:
    return next((tuple(columns) for primary, _, _, columns in indexes if primary), ())


def _columns(leaf: Leaf, indexes: Sequence[tuple[bool, bool, bool, list[str]]]) -> frozenset[str]:
    chosen = {_DEFAULT: 0, _INDEX: 1}.get(leaf.identity)
    if chosen is None:
        return frozenset()
    return frozenset(name for index in indexes if index[chosen] and index[2] for name in index[3])


def faults(
    session: LogSession, table: LogTable, oid: int, found: Identities, *, stored: bool, publication: str
) -> Iterator[ConfigurationError]:
    """Yield why changes of a table can't be read or published, each with the SQL that fixes it.

    Args:
        session: to query.
        table: the table.
        oid: of it.
        found: its identity.
        stored: whether the publication has stored generated columns.
        publication: as SQL spells it.
    """
    name, spelled = str(table.name), quoted(*table.name)
    leaves, generated = found.leaves[oid], found.generated[oid]
    if [one.leaf.oid for one in leaves] != [oid] and not found.primary[oid]:
        yield _no_primary_key(name, spelled, table.key)
        return
    for one in leaves:
        if one.leaf.kind == _FOREIGN or one.leaf.persistence == _UNLOGGED:
            yield _unlogged(name, one.leaf)
        elif not one.there:
            yield _no_identity(session, one, table.key)
        elif not one.holds(table.key):
            yield _outside(session, one, table.key)
    if of_key := sorted({*table.key, *(column for one in leaves for column in one.columns)} & set(generated)):
        yield ConfigurationError(
            f"table {name!r}: its key has the generated column {of_key[0]!r}, which the log leaves out, and a"
            " publication"
            f" would make its UPDATE and DELETE fail\n{_without_generated(session, oid, spelled)}"
        )
    elif hidden := {column: how for column, how in generated.items() if how == VIRTUAL or not stored}:
        yield from _full_over_generated(session, name, leaves, hidden, publication)


def _unlogged(name: str, leaf: Leaf) -> ConfigurationError:
    foreign = leaf.kind == _FOREIGN
    what = "is a foreign table, whose changes are in its own server's log" if foreign else "is UNLOGGED"
    mended = "Leave the table out, or detach that partition" if foreign else f"ALTER TABLE {leaf.name} SET LOGGED"
    return ConfigurationError(f"table {name!r}: its partition {leaf.name} {what}; they would be missing\n{mended}")


def _no_primary_key(name: str, spelled: str, key: Sequence[str]) -> ConfigurationError:
    columns = ", ".join(quoted(None, one) for one in key) or "…"
    return ConfigurationError(
        f"table {name!r} is partitioned and has no primary key: partitions do not inherit another replica identity, so"
        f" UPDATE and DELETE of a later one would fail once it is published\nALTER TABLE {spelled} ADD PRIMARY KEY"
        f" ({columns})"
    )


def _no_identity(session: LogSession, found: Identity, key: Sequence[str]) -> ConfigurationError:
    return ConfigurationError(
        f"table {found.leaf.name!r} has no replica identity: the log would not say which row was updated or deleted,"
        " and"
        " once it is published UPDATE and DELETE of it fail; nothing was published. Run one of the statements below, or"
        f" leave the table out\n{_mended(session, found, key)}"
    )


def _outside(session: LogSession, found: Identity, key: Sequence[str]) -> ConfigurationError:
    missing = ", ".join(repr(one) for one in key if one not in found.columns)
    return ConfigurationError(
        f"table {found.leaf.name!r}: the log has no old value of its key column {missing}: its replica identity is"
        f" ({', '.join(sorted(found.columns))}). Run one of the statements below, or give other key_columns="
        f"\n{_mended(session, found, key)}"
    )


def _mended(session: LogSession, found: Identity, key: Sequence[str]) -> str:
    """Return the statements that give a table a replica identity with the key, each on a line."""
    usable = session.ask(_DOING, _USABLE, (found.leaf.oid,))
    fitting = [index for index, columns in usable if set(key) <= set(columns)]
    default = found.leaf.identity != _DEFAULT and found.primary and set(key) <= set(found.primary)
    ways = [
        *(["REPLICA IDENTITY DEFAULT"] if default else []),
        *(f"REPLICA IDENTITY USING INDEX {index}" for index in fitting[:1]),
        "REPLICA IDENTITY FULL",
    ]
    return "\n".join(f"ALTER TABLE {found.leaf.name} {way}" for way in ways)


def _without_generated(session: LogSession, oid: int, spelled: str) -> str:
    usable = session.ask(_DOING, _USABLE, (oid,))
    if not usable:
        return "Give it a key of other columns, or leave the table out"
    [index, columns] = usable[0]
    return (
        f"ALTER TABLE {spelled} REPLICA IDENTITY USING INDEX {index}\nThen give key_columns={{…: {sorted(columns)!r}}}"
    )


def _full_over_generated(
    session: LogSession, name: str, leaves: Sequence[Identity], hidden: Mapping[str, str], publication: str
) -> Iterator[ConfigurationError]:
    for one in leaves if session.version >= GENERATED_SINCE else ():
        if one.full:
            column = next((column for column, how in hidden.items() if how == VIRTUAL), next(iter(hidden)))
            mended = (
                f"ALTER TABLE {one.leaf.name} REPLICA IDENTITY DEFAULT"
                if hidden[column] == VIRTUAL
                else f"ALTER PUBLICATION {publication} SET (publish_generated_columns = stored)"
            )
            yield ConfigurationError(
                f"table {name!r}: the replica identity of {one.leaf.name} is FULL, and the publication leaves out its"
                f" generated column {column!r}: its UPDATE and DELETE fail while it is published\n{mended}"
            )
