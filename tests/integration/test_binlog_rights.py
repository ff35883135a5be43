"""Rights that the change log of MariaDB and MySQL needs: these alone are enough, and each that is missing is named."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import LegacyEventsError
from tests.support.binlogs import BINLOGGED, binlogged_database

TABLE = "CREATE TABLE orders (id int PRIMARY KEY, note varchar(9))"
EVERYWHERE, HERE = "*.*", "{}.*"
MARIADB = (("REPLICATION SLAVE", EVERYWHERE), ("SELECT", HERE))
MYSQL = (*MARIADB, ("REPLICATION CLIENT", EVERYWHERE), ("LOCK TABLES", HERE))


class Reader:
    """A user of its own, and the stream that it reads."""

    def __init__(self, logged, rights):
        self.logged, self.rights = logged, rights
        self.name = f"{logged.legacy.url.database}_r"[-30:]
        [(host,)] = logged.execute("SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', -1)")
        self.account = f"'{self.name}'@'{host}'"
        self.logged.url = {"username": self.name, "password": "reader"}

    def change(self, what, right):
        privilege, where = right
        verb = "TO" if what == "GRANT" else "FROM"
        database = self.logged.legacy.url.database
        self.logged.execute(f"{what} {privilege} ON {where.format(database)} {verb} {self.account}")

    def grants_in(self, error):
        return [line for line in str(error).splitlines() if line.startswith("GRANT ")]

    def refused(self):
        with pytest.raises(LegacyEventsError) as error:
            self.logged.begin()
        return error.value


@pytest.fixture(params=BINLOGGED)
def reader(request):
    with binlogged_database(request, request.param, TABLE) as logged:
        found = Reader(logged, MARIADB if request.param.startswith("mariadb") else MYSQL)
        logged.execute(f"CREATE USER {found.account} IDENTIFIED BY 'reader'")
        yield found
        logged.execute(f"DROP USER {found.account}")


def test_the_rights_are_enough(reader):
    for right in reader.rights:
        reader.change("GRANT", right)
    logged = reader.logged
    logged.begin()
    logged.execute("INSERT INTO orders VALUES (1, 'a')")
    with logged.log() as log:
        log.open()
        with log.change_log.snapshot(log.tables) as snapshot:
            assert log.change_log.compare(snapshot.place, log.change_log.end()) <= 0  # others write to the server
            rows = sa.select(sa.column("id"), sa.column("note")).select_from(log.tables[0].reflection.selectable)
            assert log.database.read(rows) == [("1", "a")]
    assert logged.run() == [("c", "1", "a")]
    logged.execute("UPDATE orders SET note = 'b'")
    assert logged.run() == [("u", "1", "b")]


def test_each_missing_right_is_named_with_its_grant(reader):
    for right in reader.rights:
        reader.change("GRANT", right)
    for right in reader.rights:
        reader.change("REVOKE", right)
        error = reader.refused()
        [grant] = reader.grants_in(error)
        assert right[0] in grant
        assert "\n" not in grant
        reader.logged.execute(grant)
        reader.logged.begin()


@pytest.mark.parametrize("reader", [name for name in BINLOGGED if name != "mysql-5.6"], indirect=True)
def test_all_missing_rights_are_named_at_once(reader):
    grants = reader.grants_in(reader.refused())
    assert all(any(privilege in grant for grant in grants) for privilege, _ in reader.rights)
    for grant in grants:
        reader.logged.execute(grant)
    reader.logged.begin()


def test_the_log_shows_no_column_that_the_user_may_not_read(reader):
    for right in reader.rights:
        if right != ("SELECT", HERE):
            reader.change("GRANT", right)
    database = reader.logged.legacy.url.database
    reader.logged.execute(f"GRANT SELECT (id) ON {database}.orders TO {reader.account}")
    error = reader.refused()
    assert "which the log would show" in str(error)
    for grant in reader.grants_in(error):
        reader.logged.execute(grant)
    reader.logged.begin()
