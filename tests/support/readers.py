"""A user of a legacy database who may do what it is granted, and nothing that everybody may."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from tests.support import mysql
from tests.support.engines import of
from tests.support.legacy import Legacy

ENGINES = [name for name in of("postgresql", "mysql") if name != "mysql-5.6"]  # it lets everybody into "test_%"


class Reader:
    """One user; rights are written as `GRANT ... TO reader`, on tables of the database `crm`."""

    def __init__(self, legacy: Legacy) -> None:
        self.legacy = legacy
        if legacy.dialect == "mysql":
            self._user = mysql.User(legacy)
            self.name = self._user.name
        else:
            self.name = f"{legacy.url.database}_reader"
            for statement in (
                f"CREATE ROLE {self.name} LOGIN",
                f"REVOKE ALL ON DATABASE {legacy.url.database} FROM PUBLIC",
                "REVOKE ALL ON SCHEMA public FROM PUBLIC",
            ):
                legacy.execute(statement)

    @property
    def url(self) -> sa.URL:
        return self.legacy.url.set(username=self.name)

    def may(self, statements: Iterable[str]) -> None:
        """Give rights, as a page spells them."""
        for statement in statements:
            what = self._spelled(statement)
            if self.legacy.dialect == "mysql":
                self._user.grant(what)
            else:
                self.legacy.execute(f"GRANT {what} TO {self.name}")

    def may_no_more(self, statement: str) -> None:
        """Take the rights of one statement away."""
        what = self._spelled(statement)
        if self.legacy.dialect == "mysql":
            self._user.revoke(what)
        else:
            self.legacy.execute(f"REVOKE {what} FROM {self.name}")

    def _spelled(self, statement: str) -> str:
        found = re.fullmatch("GRANT (.*) TO reader", statement)
        assert found is not None, statement
        return re.sub(r"\bcrm\b", str(self.legacy.url.database), found[1])

    def drop(self) -> None:
        if self.legacy.dialect == "mysql":
            self._user.drop()
        else:
            self.legacy.connection.execute(f"DROP OWNED BY {self.name}; DROP ROLE {self.name}")


@contextmanager
def connecting(legacy: Legacy) -> Iterator[Reader]:
    """A user who may connect and see the names of a schema, and nothing else; it is gone afterwards."""
    made = Reader(legacy)
    if legacy.dialect == "postgresql":
        made.may(["GRANT CONNECT ON DATABASE crm TO reader", "GRANT USAGE ON SCHEMA public TO reader"])
    yield made
    made.drop()
