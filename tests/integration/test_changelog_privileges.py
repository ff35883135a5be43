"""The rights of a change log that the documentation prints: a role that has these and nothing else reads the log."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.slots import logged_database

PAGE = (Path(__file__).parents[2] / "docs" / "operations" / "privileges.md").read_text()
PRINTED = {
    label: [one for one in statements.splitlines() if one]
    for label, statements in re.findall(r"```sql\n-- PostgreSQL, change log, ([^\n]*)\n(.*?)```", PAGE, re.DOTALL)
}
GIVEN, MADE = PRINTED["publication given"], PRINTED["publication made"]


@pytest.fixture
def logged(request):
    with logged_database(request, "postgresql-18", fresh=True) as found:
        database = found.legacy.url.database
        role, owner = f"{database}_reader", f"{database}_shop"
        found.names = {"reader": role, "shop": owner, "crm": database, "orders_log": found.name}
        found.execute(f"CREATE ROLE {role} LOGIN; CREATE ROLE {owner}")
        found.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC")
        found.execute("CREATE TABLE orders (id integer PRIMARY KEY, t text)", f"ALTER TABLE orders OWNER TO {owner}")
        found.execute(f"GRANT USAGE ON SCHEMA public TO {owner}")
        found.url = {"username": role}
        yield found
        found.execute(*(f"DROP OWNED BY {one} CASCADE; DROP ROLE {one}" for one in (role, owner)))


def run_as_printed(logged, statements):
    for one in statements:
        logged.execute(re.sub(r"\b\w+\b", lambda word: logged.names.get(word[0], word[0]), one))


def test_the_printed_rights_are_enough(logged, given):
    if given:
        run_as_printed(logged, PRINTED["as the owner"])
    run_as_printed(logged, GIVEN if given else MADE)
    logged.given = given
    logged.begin()
    logged.execute("INSERT INTO orders VALUES (1, 'a')")
    with logged.log() as log:
        log.open()
        with log.change_log.snapshot(log.tables):
            rows = sa.select(sa.column("id"), sa.column("t")).select_from(log.tables[0].reflection.selectable)
            assert log.database.read(rows) == [("1", "a")]
    assert logged.run() == [("c", "1", "a")]
    logged.execute("UPDATE orders SET t = 'b'")
    assert logged.run() == [("u", "1", "b")]


@pytest.mark.parametrize("missing", range(len(GIVEN) + len(MADE)))
def test_each_printed_right_is_needed(logged, missing):
    given = missing < len(GIVEN)
    statements = [one for at, one in enumerate((*GIVEN, *MADE)) if (at < len(GIVEN)) == given and at != missing]
    if given:
        run_as_printed(logged, PRINTED["as the owner"])
    run_as_printed(logged, statements)
    logged.given = given
    said = "\n".join(logged.check())
    left_out = (*GIVEN, *MADE)[missing]
    for name, called in logged.names.items():
        left_out = re.sub(rf"\b{name}\b", called, left_out)
    reader, owner = logged.names["reader"], logged.names["shop"]
    if left_out == f"GRANT {owner} TO {reader};":  # then it may not read the table either
        left_out = f"GRANT SELECT ON orders TO {reader};"
    assert left_out.rstrip(";") in said.replace('"', "").replace("public.", "")


@pytest.fixture(params=[True, False], ids=["given", "made"])
def given(request):
    return request.param
