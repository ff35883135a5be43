"""Identifier quoting: every name is quoted, since no list of reserved words fits every server version.

An unlisted reserved word would be a syntax error. A function without parentheses, such as `current_user`, would return
its own value instead of the column's.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.sql.compiler import IdentifierPreparer

_OWN = frozenset({"postgresql", "mysql", "mariadb", "sqlite"})


def quotes_always(dialect: Any) -> bool:
    """Return whether names that a dialect reports are known to mean the same when quoted.

    This holds for the natively supported databases, for SQL Server, and for dialects that report folded names in lower
    case: these names are folded again before they are quoted.
    """
    return dialect.name in _OWN or dialect.name == "mssql" or bool(dialect.requires_name_normalize)


def quote_all(dialect: Any) -> None:
    """Make a dialect quote every name, where `quotes_always`."""
    if quotes_always(dialect):
        dialect.preparer = always(dialect.preparer)
        dialect.identifier_preparer = dialect.preparer(dialect)


def always(preparer: type[IdentifierPreparer]) -> type[IdentifierPreparer]:
    """Return an identifier preparer that quotes every name."""

    class Always(preparer):  # type: ignore[misc, valid-type]
        def quote(self, ident: str, force: Any = None) -> str:  # noqa: ARG002  of SQLAlchemy 2.0
            exact = getattr(ident, "quote", None) or not self.dialect.requires_name_normalize
            return str(self.quote_identifier(ident if exact else self.dialect.denormalize_name(ident)))

    return Always


def quoted_for_people(dialect: Any, name: str) -> str:
    """Return a name as it appears in a statement that a person runs."""
    preparer = dialect.identifier_preparer
    quoted = str(preparer.quote(name))
    return quoted.replace("%%", "%") if preparer._double_percents else quoted  # noqa: SLF001  no public attribute
