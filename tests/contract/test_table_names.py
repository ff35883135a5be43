"""A table is reached by its name as the catalog has it, and by its quoted parts, in all that is asked of a table."""

from __future__ import annotations

import logging

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import ConfigurationError
from tests.support.engines import EACH, ENGINES, MARIADB, NEW_MYSQL, of
from tests.support.legacy import reused_database, rows
from tests.support.outbox_tables import HOLDER

NAMES = ["t.2", "a.b.c", 'odd"name', "odd`name", "it's", "a\\b", '"q"', "[x]", "%(id)s 100%", "a?:b", "{x} ü"]
WITHOUT_BACKTICKS = {"firebird", "postgresql"}
LONGEST = {"postgresql": 63, "mysql": 64, "sqlite": 64, "firebird": 31}


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


def make(legacy, name: str, value: int = 7, *, schema: str | None = None) -> None:
    table = ".".join(legacy.quoted(part) for part in (schema, name) if part is not None)
    legacy.execute(f"CREATE TABLE {table} (id integer NOT NULL PRIMARY KEY)")
    legacy.execute(f"INSERT INTO {table} VALUES ({value})")


def ids(legacy, table: str) -> list[int]:
    return [int(row["id"]) for row in rows(legacy, table=table, watermark_columns=("id",))[0]]


def spellings(legacy, name: str) -> list[str]:
    """All in which a user may write a name without a schema."""
    found = [name, '"' + name.replace('"', '""') + '"']
    if legacy.dialect not in WITHOUT_BACKTICKS:
        found.append("`" + name.replace("`", "``") + "`")
    return [*found, "[" + name.replace("]", "]]") + "]"] if legacy.dialect == "sqlite" else found


def test_each_name_is_reached_as_it_is_and_in_quotes(legacy):
    for at, name in enumerate([*NAMES, "n" * LONGEST[legacy.dialect]]):
        make(legacy, name, at)
        for written in spellings(legacy, name):
            assert ids(legacy, written) == [at], written


def test_all_that_is_asked_of_a_table_is_asked_of_the_one_that_is_read(legacy):
    database = legacy.database()
    for at, name in enumerate(NAMES[:6]):
        make(legacy, name, at)
        for written in spellings(legacy, name):
            assert name.replace('"', '""' if legacy.dialect == "postgresql" else '"') in database.writes(written).name
            kept = database.next_id(written, "id")
            assert (kept.value, kept.unknown) in ((at + 1, None), (None, None))
            database.storage(written)
            found = database.reflect(written, None)
            statement = sa.delete(found.selectable).where(sa.column("id") == 99)
            assert database.refusal(statement) is None
    database.close()


@pytest.mark.parametrize("legacy", of("postgresql", "mysql"), indirect=True)
def test_a_table_of_the_default_schema_wins_over_one_in_a_schema(legacy):
    [(here,)] = legacy.execute("SELECT current_schema()" if legacy.dialect == "postgresql" else "SELECT database()")
    if legacy.dialect == "postgresql":
        legacy.execute('CREATE SCHEMA "s.1"')
        make(legacy, "t", 3, schema="s.1")
        assert ids(legacy, '"s.1".t') == [3]
        assert ids(legacy, '"s.1"."t"') == [3]
    make(legacy, "t", 1)
    assert ids(legacy, f"{here}.t") == [1]
    make(legacy, f"{here}.t", 2)
    assert ids(legacy, f"{here}.t") == [2]
    for quote in '"`' if legacy.dialect == "mysql" else '"':
        assert ids(legacy, f"{quote}{here}{quote}.{quote}t{quote}") == [1]
    with pytest.raises(ConfigurationError, match=r"no table or view of that name, nor 'u' in schema '.*similar: .*t"):
        ids(legacy, f"{here}.u")


@pytest.mark.parametrize("legacy", of("sqlite"), indirect=True)
def test_the_schema_of_a_sqlite_file_may_be_named_in_any_quotes(legacy):
    make(legacy, "o.x")
    for written in ("main.[o.x]", '"main"."o.x"', "`main`.`o.x`", 'MAIN."O.X"'):
        assert ids(legacy, written) == [7]


@pytest.mark.parametrize("legacy", of("postgresql", "sqlite"), indirect=True)
def test_what_differs_only_in_case_is_told_apart(legacy):
    for value, name in enumerate(("Ä.b", "ä.b", *(("T.x", "t.x") if legacy.dialect == "postgresql" else ()))):
        make(legacy, name, value)
        assert ids(legacy, name) == [value]
    if legacy.dialect == "postgresql":
        legacy.execute('CREATE TABLE c ("Id" integer PRIMARY KEY, "id" integer NOT NULL, "ID" integer)')
        legacy.execute("INSERT INTO c VALUES (1, 9, 5), (2, 8, 6)")
        found, _ = rows(legacy, table="C", watermark_columns=("id",), batch_rows=1)
        assert found == [{"Id": "2", "id": "8", "ID": "6"}, {"Id": "1", "id": "9", "ID": "5"}]


@pytest.mark.parametrize("legacy", [*NEW_MYSQL, *MARIADB], indirect=True)
def test_an_index_of_any_name_serves_a_page(legacy):
    names = ["50%", "%s", "%(id)s", "a`b", "force", "primary_", "x.y", "it's {0}"]
    for at, name in enumerate(names):
        legacy.execute(
            f"CREATE TABLE t{at} (id integer PRIMARY KEY, at integer NOT NULL, KEY {legacy.quoted(name)} (at))"
        )
        legacy.execute(f"INSERT INTO t{at} VALUES (1, 2), (2, 1)")
        found, _ = rows(legacy, table=f"t{at}", watermark_columns=("at",), batch_rows=1)
        assert [row["id"] for row in found] == ["2", "1"], name


def test_the_statement_that_is_advised_names_the_table_that_is_read(legacy, caplog):
    words = {name: legacy.quoted(name) for name in ("order", "t.2")}
    legacy.execute(f"CREATE TABLE {words['t.2']} (id integer NOT NULL PRIMARY KEY, {words['order']} integer NOT NULL)")
    legacy.execute(f"INSERT INTO {words['t.2']} VALUES (1, 5)")
    with caplog.at_level(logging.WARNING):
        rows(legacy, table="t.2", watermark_columns=("order",))
    legacy.execute(caplog.text[caplog.text.index("CREATE INDEX") :].splitlines()[0])
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        rows(legacy, table="t.2", watermark_columns=("order",))
    assert "CREATE INDEX" not in caplog.text


def test_a_stream_s_lock_is_that_of_the_table_however_it_is_written(legacy):
    make(legacy, "t.2")
    database = legacy.database()
    names = {database.writes(written).name for written in spellings(legacy, "t.2")}
    assert len(names) == 1
    with database.lock("s", HOLDER, table=names.pop()) as lease:
        lease.check()
    database.close()


def test_the_engines_that_are_asked_are_all_there():
    assert {one.dialect for one in ENGINES.values()} == set(LONGEST)


@pytest.mark.parametrize("legacy", of("sqlite"), indirect=True)
def test_a_view_whose_name_has_letters_beyond_ascii_has_a_definition(legacy):
    make(legacy, "t")
    legacy.execute('CREATE VIEW "\u00c4" AS SELECT * FROM t')
    database = legacy.database()
    first = database.reflect("\u00c4", None).state.definition
    legacy.execute('DROP VIEW "\u00c4"')
    legacy.execute('CREATE VIEW "\u00c4" AS SELECT * FROM t WHERE id > 0')
    assert first is not None
    assert database.reflect("\u00c4", None).state.definition not in (None, first)
    database.close()
