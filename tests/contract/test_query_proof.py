"""Pages whose order or uniqueness the catalog does not prove, on every database: each row once, or an error."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Span, Window
from tests.support.engines import EACH, of
from tests.support.legacy import reused_database

ROWS = 12
CODES = [f"code-{number:03}" for number in range(1, ROWS + 1)]


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


@pytest.fixture
def numbered(legacy):
    """Twelve rows; nothing but the primary key says that their codes differ."""
    legacy.execute("CREATE TABLE t (id integer PRIMARY KEY, code varchar(20) NOT NULL, at integer NOT NULL)")
    for number, code in enumerate(CODES, 1):
        legacy.execute(f"INSERT INTO t VALUES ({number}, '{code}', {number})")
    return legacy


def reads(source, monkeypatch, between=lambda number: None):
    """The statements of a run's pages; `between` is called with the number of each, behind it."""
    read, made = source.database.read, []

    def counted(query, *arguments):
        rows = read(query, *arguments)
        made.append(query)
        between(len(made))
        return rows

    monkeypatch.setattr(source.database, "read", counted)
    return made


def codes(batches):
    return [row[batch.shape.named(range(len(row))).index("code")] for batch in batches for row in batch.rows]


WAYS = {
    "incremental": ({"watermark_columns": ("at",)}, None),
    "bulk": ({"watermark_columns": ()}, None),
    "a window": ({"watermark_columns": ("at",)}, Window(None, "1", "13")),
    "a rerun": ({"watermark_columns": ("at",)}, Span(None, ("12", "12"), False)),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_the_catalog_proves_costs_no_statement_more(numbered, monkeypatch, way):
    options, window = WAYS[way]
    with numbered.source(batch_rows=4, **options) as source:
        batches = source.open(None, window).batches
        made = reads(source, monkeypatch)
        assert codes(batches) == CODES
    assert len(made) == (3 if way == "incremental" else 4)


@pytest.mark.parametrize("key", ["id", "code"])
@pytest.mark.parametrize("way", WAYS)
def test_pages_of_a_query_are_whole_while_others_write(numbered, monkeypatch, way, key):
    options, window = WAYS[way]
    if way == "a rerun" and key == "code":
        window = window._replace(until=("12", CODES[-1]))
    other, sql = numbered.connect(), "SELECT id, code, at FROM t WHERE id > 0"

    def write(number):  # behind each page and before it is counted, a row whose place is in it, and one goes
        other.execute(f"INSERT INTO t VALUES ({100 + number}, 'code-00{number % 9}x', {number % 9})")
        other.execute(f"DELETE FROM t WHERE id = {99 + number}")

    with numbered.source(table=None, sql=sql, key_columns=(key,), batch_rows=4, **options) as source:
        opened = source.open(None, window)
        made = reads(source, monkeypatch, write)
        found = [code for code in codes(opened.batches) if not code.endswith("x")]
    other.close()
    assert found == CODES
    assert len(made) > 4


@pytest.fixture(params=of("postgresql"))
def parent(request):
    """A table whose primary key does not hold for the rows of its child."""
    with reused_database(request, request.param) as found:
        found.execute("CREATE TABLE t (id integer PRIMARY KEY, code varchar(20), at integer)")
        found.execute("CREATE TABLE child () INHERITS (t)")
        found.execute("INSERT INTO t SELECT i, 'parent', 1 FROM generate_series(1, 6) i")
        found.execute("INSERT INTO child SELECT i, 'child', 1 FROM generate_series(7, 12) i")
        yield found


@pytest.mark.parametrize("batch_rows", [1, 4, 6, 20])
@pytest.mark.parametrize("way", WAYS)
def test_a_parent_of_inheriting_tables_is_read_as_a_whole(parent, way, batch_rows):
    options, window = WAYS[way]
    with parent.source(batch_rows=batch_rows, **options) as source:
        assert len(codes(source.open(None, window).batches)) == ROWS


@pytest.mark.parametrize("batch_rows", [1, 4, 6, 20])
@pytest.mark.parametrize("way", WAYS)
def test_rows_of_children_that_share_a_key_are_an_error(parent, way, batch_rows):
    options, window = WAYS[way]
    parent.execute("INSERT INTO child VALUES (6, 'child', 1)")
    with parent.source(batch_rows=batch_rows, **options) as source:
        batches = source.open(None, window).batches
        with pytest.raises(ConfigurationError, match=r"several rows of table 't' are equal in .*'id', and"):
            codes(batches)
