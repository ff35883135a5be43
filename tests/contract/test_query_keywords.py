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
