"""Grants of a MySQL or MariaDB user: the catalog silently hides what they don't cover."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from typing import NamedTuple

from airflow_legacy_events.databases.mysql.session import Session

_GRANT = re.compile(r"GRANT (?P<what>.+?) ON (?:TABLE )?(?P<where>\*\.\*|`(?:[^`]|``)+`\.(?:\*|`(?:[^`]|``)+`)) TO ")
_ALL, _NOTHING, _EVERYWHERE = "ALL PRIVILEGES", "USAGE", "*.*"
_COLUMNS = re.compile(r" ?\([^)]*\)")


class Grants(NamedTuple):
    """Privileges of this session's user and roles.

    Attributes:
        user: as in a GRANT.
        found: sets of privileges, each with its scope: `*.*`, `schema.*` or `schema.table`.
    """

    user: str
    found: tuple[tuple[frozenset[str], str], ...]

    @classmethod
    def read(cls, session: Session) -> Grants:
        """Return this user's grants, as reported by the server."""
        return cls(current_user(session), tuple(_read(text for (text,) in session.rows("SHOW GRANTS"))))

    def has(self, privilege: str, *where: str) -> bool:
        """Return whether the privilege is granted for any of these scopes, or globally."""
        held = (at for what, at in self.found if what & {privilege, _ALL})
        return any(_covers(at, one) for at in held for one in where)

    def hidden(self, schema: str, table: str, *, triggers: bool) -> tuple[str, ...]:
        """Return a description of each part of a table that is hidden from this user, with the GRANT that shows it.

        Args:
            schema: of the table.
            table: name of the table.
            triggers: whether the server hides triggers at all.
        """
        everything = any(what - {_NOTHING} and _covers(at, f"{schema}.*") for what, at in self.found)
        hidden = []
        if not everything:
            hidden.append(
                "foreign keys of tables that this user may not see;"
                f" GRANT REFERENCES ON {quoted(schema)}.* TO {self.user} shows those of this database"
            )
        if triggers and not self.has("TRIGGER", f"{schema}.*", f"{schema}.{table}"):
            hidden.append(f"triggers; GRANT TRIGGER ON {quoted(schema)}.{quoted(table)} TO {self.user} shows them")
        return tuple(hidden)


def current_user(session: Session) -> str:
    """Return this session's user, as in a GRANT."""
    [(user,)] = session.rows("SELECT CURRENT_USER()")
    return account(user)


def account(user: str) -> str:
    """Return the result of `CURRENT_USER()`, as in a GRANT."""
    name, _, host = user.rpartition("@")
    return f"'{name}'@'{host}'"


def _read(texts: Iterable[str]) -> Iterable[tuple[frozenset[str], str]]:
    for text in texts:
        if found := _GRANT.match(text):
            what = frozenset(one.strip() for one in _COLUMNS.sub("", found["what"]).split(","))
            yield what, found["where"].replace("`.`", ".").replace("`.*", ".*").strip("`").replace("``", "`")


def _covers(granted: str, place: str) -> bool:
    """Return whether the scope of a GRANT covers another one; database names are patterns there."""
    if granted in (_EVERYWHERE, place):
        return True
    pattern = granted.replace("\\_", "\0").replace("\\%", "\1").replace("_", "?").replace("%", "*")
    pattern = pattern.replace("\0", "_").replace("\1", "%")
    return granted.endswith(".*") and fnmatch.fnmatchcase(place, pattern)


def quoted(name: str) -> str:
    """Return a name as a quoted identifier, with any characters in it."""
    return f"`{name.replace('`', '``')}`"
