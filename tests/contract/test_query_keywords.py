"""Every word of a server's own list, and every function without brackets, as the name of a table and of columns."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.support.engines import EACH, of
from tests.support.keywords import keywords
from tests.support.legacy import reused_database, rows
from tests.support.profile import LONG

WIDE, TOGETHER, TABLES, SEED = 200, 16, 10, 20261129


RENAMED = ("true", "false")
"""SQLite itself calls such a column of a query or view `column2`, after its place."""


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


def packs(words: list[str]) -> Iterator[list[str]]:
    for at in range(0, len(words), WIDE):
        yield words[at : at + WIDE]


def drawn(words: list[str], most: int) -> list[str]:
    return random.Random(SEED).sample(words, min(most, len(words)))


def groups(words: list[str]) -> Iterator[tuple[str, ...]]:
    """All of them, as many as a key may have; in the short form one group that is drawn."""
    if not LONG:
        yield tuple(drawn(words, TOGETHER))
        return
    for at in range(0, len(words), TOGETHER):
        yield tuple(words[at : at + TOGETHER])


def create(legacy, table: str, words: list[str]) -> list[dict[str, str]]:
    """A table with these columns and two rows; what a run has to give of it."""
    columns = ", ".join(f"{legacy.quoted(word)} integer NOT NULL" for word in words)
    legacy.execute(f"CREATE TABLE {table} (nr_ integer PRIMARY KEY, {columns})")
    found = []
    for number in (1, 2):
        values = [number * 1000 + at for at in range(len(words))]
        legacy.execute(f"INSERT INTO {table} VALUES ({number}, {', '.join(map(str, values))})")
        found.append({"nr_": str(number), **dict(zip(words, map(str, values), strict=True))})
    return found


def test_every_word_is_a_column_a_key_and_a_watermark(legacy):
    words = keywords(legacy)
    for at, pack in enumerate(packs(words)):
        expected = create(legacy, f"t{at}", pack)
        for names in groups(pack):
            found, after = rows(legacy, table=f"t{at}", watermark_columns=names, key_columns=names, batch_rows=1)
            assert found == expected
            assert after.values == tuple(expected[1][name] for name in names)
    assert len(words) > 150


def test_every_word_is_a_column_of_a_query_and_of_a_view(legacy):
    words = [word for word in keywords(legacy) if not (legacy.dialect == "sqlite" and word in RENAMED)]
    if not LONG:
        words = drawn(words, WIDE)
    for at, pack in enumerate(packs(words)):
        expected = create(legacy, f"t{at}", pack)
        legacy.execute(f"CREATE VIEW v{at} AS SELECT * FROM t{at}")
        named = {"watermark_columns": (pack[0],), "key_columns": ("nr_", pack[-1]), "batch_rows": 1}
        assert rows(legacy, sql=f"SELECT * FROM t{at}", **named)[0] == expected
        assert rows(legacy, table=f"v{at}", **named)[0] == expected
        legacy.execute(f"DROP VIEW v{at}")


def test_words_are_names_of_tables(legacy):
    words = keywords(legacy)
    for word in words if LONG else drawn(words, TABLES):
        table = legacy.quoted(word)
        legacy.execute(f"CREATE TABLE {table} ({table} integer NOT NULL PRIMARY KEY)")
        legacy.execute(f"INSERT INTO {table} VALUES (7)")
        written = word if legacy.dialect != "firebird" else f'"{word}"'
        assert rows(legacy, table=written, watermark_columns=(word,))[0] == [{word: "7"}], word


@pytest.mark.parametrize("legacy", of("firebird"), indirect=True)
def test_words_that_the_database_folds_are_found(legacy):
    for at, pack in enumerate(packs([word.upper() for word in keywords(legacy)])):
        expected = [{name.lower(): value for name, value in row.items()} for row in create(legacy, f"t{at}", pack)]
        found, _ = rows(legacy, table=f"t{at}", watermark_columns=("nr_",), batch_rows=1)
        assert [{name.lower(): value for name, value in row.items()} for row in found] == expected
    for word in ("value", "month", "position", "current_user", "offset"):
        legacy.execute(f'CREATE TABLE "{word.upper()}" (id integer PRIMARY KEY)')
        legacy.execute(f'INSERT INTO "{word.upper()}" VALUES (1)')
        for table in (word, word.upper()):
            assert rows(legacy, table=table, watermark_columns=("id",))[0] == [{"id": "1"}]


PSEUDO = ("ctid", "xmin", "tableoid", "oid", "rowid", "_rowid_", "current_user", "rownum")


@pytest.mark.parametrize("legacy", of("postgresql", "sqlite"), indirect=True)
def test_hidden_columns_of_the_database_give_way_to_those_of_a_query_or_view_of_that_name(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, v integer)")
    legacy.execute("INSERT INTO t VALUES (1, 5), (2, 3)")
    for at, name in enumerate(PSEUDO):
        word, query = legacy.quoted(name), f"SELECT v AS {legacy.quoted(name)}, id AS nr FROM t"
        legacy.execute(f"CREATE VIEW v{at} AS {query}")
        for given in ({"sql": query}, {"table": f"v{at}"}):
            found, _ = rows(legacy, watermark_columns=(name,), key_columns=("nr",), batch_rows=1, **given)
            assert found == [{name: "3", "nr": "2"}, {name: "5", "nr": "1"}], word


@pytest.mark.parametrize("legacy", of("sqlite"), indirect=True)
def test_a_column_called_rowid_is_not_the_rowid(legacy):
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, rowid integer, _rowid_ integer, oid integer)")
    legacy.execute("INSERT INTO t VALUES (1, 9, 8, 7), (2, 5, 4, 3)")
    for name in ("rowid", "_rowid_", "oid"):
        found, _ = rows(legacy, watermark_columns=(name,), batch_rows=1)
        assert [row[name] for row in found] == sorted(row[name] for row in found)
        assert [row["id"] for row in found] == ["2", "1"]


@pytest.mark.parametrize("legacy", of("firebird"), indirect=True)
def test_columns_that_the_database_keeps_in_small_letters_are_read(legacy):
    legacy.execute(
        'CREATE TABLE "small" ("id" integer NOT NULL PRIMARY KEY, "status" integer, "Mixed" integer, BIG integer)'
    )
    legacy.execute('INSERT INTO "small" VALUES (1, 5, 6, 7)')
    legacy.execute('INSERT INTO "small" VALUES (2, 4, 6, 7)')
    found, _ = rows(legacy, table="small", watermark_columns=("status",), batch_rows=1)
    assert found[0] == {"id": "2", "status": "4", "Mixed": "6", "big": "7"}
    query = 'SELECT "id", "status", BIG FROM "small"'
    found, _ = rows(legacy, sql=query, watermark_columns=("status",), key_columns=("id",), batch_rows=1)
    assert found[1] == {"id": "1", "status": "5", "big": "7"}


@pytest.mark.parametrize("legacy", of("postgresql", "sqlite"), indirect=True)
def test_names_of_signs_and_of_the_greatest_length_are_read(legacy):
    names = ["\U0001f600", "n" * 63, "\u00e9" * 31, "a{0}", "a%%b", "%(id)s", "a?", ":x", 'q"`', "\\", " "]
    columns = ", ".join(f"{legacy.quoted(name)} integer" for name in names)
    legacy.execute(f"CREATE TABLE t (id integer PRIMARY KEY, {columns})")
    for number in (1, 2):
        legacy.execute(f"INSERT INTO t VALUES ({number}, {', '.join(str(number + at) for at in range(len(names)))})")
    for name in names:
        found, _ = rows(legacy, watermark_columns=(name,), batch_rows=1, null_watermark="skip")
        assert [row[name] for row in found] == [str(names.index(name) + number) for number in (1, 2)]
