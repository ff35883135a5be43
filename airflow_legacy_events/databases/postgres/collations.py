"""Collations of PostgreSQL columns: the sort rules, and whether only equal bytes compare equal."""

from __future__ import annotations

from typing import NamedTuple

DEFAULT = 100
"""Oid of the "default" collation, which stands for the database's own."""

COLLATIONS = """
SELECT oid::pg_catalog.int8, collname, collprovider::pg_catalog.text, collisdeterministic,
       pg_catalog.pg_collation_actual_version(oid)
  FROM pg_catalog.pg_collation
 WHERE oid OPERATOR(pg_catalog.=) ANY (
         ARRAY(SELECT attcollation FROM pg_catalog.pg_attribute WHERE attrelid OPERATOR(pg_catalog.=) {table}))
   AND collprovider OPERATOR(pg_catalog.<>) 'd'::pg_catalog."char";
"""
"""The collations of a table's columns, each as `Collation`, without the default."""

_OF_DATABASE = """
SELECT 100::pg_catalog.int8, coalesce({locale}datcollate::pg_catalog.text), {provider}, true, {version}
  FROM pg_catalog.pg_database
 WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
"""
_LOCALE_SINCE, _PROVIDERS_SINCE = 170_000, 150_000
_PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin"}


class Collation(NamedTuple):
    """One collation.

    Attributes:
        oid: of it.
        name: of the collation, or the database's locale.
        provider: as in the catalog.
        deterministic: whether only equal bytes compare equal.
        version: current version of the provider's rules; None if they never change.
    """

    oid: int
    name: str
    provider: str
    deterministic: bool
    version: str | None

    def form(self) -> str:
        """Return text that identifies the collation's sort order."""
        rules = " ".join(filter(None, (_PROVIDERS.get(self.provider, self.provider), self.version)))
        return f"{self.name} ({rules})"


def default_collation(server_version: int) -> str:
    """Return the statement that selects the database's own collation as a `Collation`."""
    locale = "datlocale" if server_version >= _LOCALE_SINCE else "daticulocale"
    provided = server_version >= _PROVIDERS_SINCE
    return (
        _OF_DATABASE.replace("{locale}", f"{locale}::pg_catalog.text, " if provided else "")
        .replace("{provider}", "datlocprovider::pg_catalog.text" if provided else "'c'")
        .replace("{version}", "pg_catalog.pg_database_collation_actual_version(oid)" if provided else "NULL")
    )
