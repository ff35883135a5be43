"""Names in statements are always in quotes: no list of reserved words is that of the server that is met.

A word that a list does not hold would be an error of syntax; a function without brackets, such as `current_user`, would
give its own value in place of the column's.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.sql.compiler import IdentifierPreparer

_OWN = frozenset({"postgresql", "mysql", "mariadb", "sqlite"})


def quotes_always(dialect: Any) -> bool:
    """Return whether the names that a dialect lists are known to mean the same in quotes.

    That is so for the databases of our own, for SQL Server, and for dialects that write the names that their database
    folds in lower case: these are folded again before they are put in quotes.
    """
    return dialect.name in _OWN or dialect.name == "mssql" or bool(dialect.requires_name_normalize)


def quote_all(dialect: Any) -> None:
    """Let a dialect put every name in quotes, where `quotes_always`."""
    if quotes_always(dialect):
        dialect.preparer = always(dialect.preparer)
        dialect.identifier_preparer = dialect.preparer(dialect)


def always(preparer: type[IdentifierPreparer]) -> type[IdentifierPreparer]:
    """Return a preparer of names that puts each of them in quotes."""

    class Always(preparer):  # type: ignore[misc, valid-type]
        def quote(self, ident: str, force: Any = None) -> str:  # noqa: ARG002  of SQLAlchemy 2.0
            exact = getattr(ident, "quote", None) or not self.dialect.requires_name_normalize
            return str(self.quote_identifier(ident if exact else self.dialect.denormalize_name(ident)))

    return Always


def quoted_for_people(dialect: Any, name: str) -> str:
    """Return a name as a statement has it that a person runs."""
    preparer = dialect.identifier_preparer
    quoted = str(preparer.quote(name))
    return quoted.replace("%%", "%") if preparer._double_percents else quoted  # noqa: SLF001  only it knows
