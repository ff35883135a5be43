"""Columns that have another type while a run reads them, on every database: no page is read as what it is not."""

from __future__ import annotations

import logging

import pytest

from airflow_legacy_events.core.errors import ConfigurationError, SchemaChangedError, SourceError, WatermarkError
from tests.support.engines import EACH, of
from tests.support.legacy import reused_database
from tests.support.taken import WAYS, Run

ROWS = 12


@pytest.fixture(params=EACH)
def legacy(request):
    with reused_database(request, request.param) as found:
        make(found, {"id": "integer NOT NULL", "at": "integer NOT NULL", "v": "integer", "w": "varchar(20)"})
        yield found


def make(legacy, columns, name="t"):
    """A table with twelve rows; where one is of texts they begin with a quotation mark."""
    listed = ", ".join(f"{column} {type_}" for column, type_ in columns.items())
    legacy.execute(f"CREATE TABLE {name} ({listed}, PRIMARY KEY (id))")
    for number in range(1, ROWS + 1):
        values = (f"'\"{number}'" if "char" in type_ else str(number) for type_ in columns.values())
        legacy.execute(f"INSERT INTO {name} VALUES ({', '.join(values)})")


def remake(legacy, **types):
    """Let the table have other columns."""
    columns = {"id": "integer NOT NULL", "at": "integer NOT NULL", "v": "integer", "w": "varchar(20)", **types}
    at_once = legacy.dialect == "postgresql"  # else a page that is read ahead may find no table
    legacy.execute("BEGIN" if at_once else "SELECT 1 FROM t")
    legacy.execute("DROP TABLE t")
    make(legacy, {name: type_ for name, type_ in columns.items() if type_})
    if at_once:
        legacy.execute("COMMIT")


@pytest.mark.parametrize("way", ["incremental", "a window"])
def test_a_column_of_another_type_is_read_as_one_from_there_on(legacy, way, caplog):
    options, window = WAYS[way]
    with legacy.source(batch_rows=2, **options) as source:
        run = Run(source, window)
        run.take()
        remake(legacy, v="varchar(20)")
        with caplog.at_level(logging.WARNING):
            assert run.rest() == list(range(1, ROWS + 1))
    kinds = [batch.shape.columns[2].kind for batch in run.batches]
    assert (kinds[0], kinds[-1]) == ("integer", "text")
    assert all(
        str(row[2]).startswith('"') is (batch.shape.columns[2].kind == "text")
        for batch in run.batches
        for row in batch.rows
    )
    assert "'v' was " in caplog.text


@pytest.mark.parametrize("policy", ["evolve", "fail"])
@pytest.mark.parametrize("column", ["id", "at"])
def test_another_type_of_a_watermark_or_key_column_ends_the_run(legacy, column, policy):
    with legacy.source(batch_rows=2, watermark_columns=("at",), on_schema_change=policy) as source:
        run = Run(source)
        run.take()
        remake(legacy, **{column: f"{KEY_TEXT.get(legacy.dialect, 'varchar(20)')} NOT NULL"})
        with pytest.raises(WatermarkError, match=rf"column {column!r} is part of the watermark"):
            run.rest()
    assert run.ids == list(range(1, len(run.ids) + 1))


KEY_TEXT = {"firebird": "varchar(20) character set ascii"}


def test_two_columns_that_swap_their_names_are_read_by_the_types_that_they_have(legacy):
    with legacy.source(batch_rows=2, watermark_columns=("at",)) as source:
        run = Run(source)
        run.take()
        remake(legacy, v="varchar(20)", w="integer")
        assert run.rest() == list(range(1, ROWS + 1))
    for batch in run.batches:
        for row in batch.rows:
            v, w = (str(row[at]) for at in (2, 3))
            texts = v if batch.shape.columns[2].kind == "text" else w
            assert texts.startswith('"')
            assert (v + w).count('"') == 1


@pytest.mark.parametrize("legacy", of("postgresql"), indirect=True)
def test_a_type_that_can_t_be_carried_ends_the_run_by_its_own_error(legacy):
    with legacy.source(batch_rows=2, watermark_columns=("at",)) as source:
        run = Run(source)
        run.take()
        legacy.execute("ALTER TABLE t DROP COLUMN v")
        legacy.execute("ALTER TABLE t ADD COLUMN v gtsvector")
        with pytest.raises(ConfigurationError, match=r"columns of types that can't be carried: 'v'"):
            run.rest()


def test_columns_that_change_again_and_again_end_the_run(legacy):
    with legacy.source(batch_rows=1, watermark_columns=("at",)) as source:
        run = Run(source)
        with pytest.raises(SourceError, match="changed 3 times while one run of stream 's' read them"):  # noqa: PT012
            for type_ in ("varchar(20)", "integer", "varchar(20)", "integer"):
                run.take(2)
                remake(legacy, v=type_)
            run.rest()


def test_a_longer_text_is_no_other_type(legacy):
    with legacy.source(batch_rows=2, watermark_columns=("at",), on_schema_change="fail") as source:
        run = Run(source)
        run.take()
        remake(legacy, w="varchar(40)")
        assert run.rest() == list(range(1, ROWS + 1))


@pytest.mark.parametrize("column", ["at", "id"])
def test_what_waits_for_rows_hears_of_another_type_at_its_next_looks(legacy, column):
    with legacy.source(watermark_columns=("at",)) as source:
        run = Run(source)
        run.rest()
        waiting = source
        assert waiting.pending(run.after).rows == 0
        remake(legacy, **{column: f"{KEY_TEXT.get(legacy.dialect, 'varchar(20)')} NOT NULL"})
        with pytest.raises(SchemaChangedError):
            waiting.pending(run.after)
    again = legacy.source(watermark_columns=("at",))  # as whatever waits begins anew
    told = pytest.raises(WatermarkError, match=rf"column {column!r} is part of the watermark")
    with again as source, told:
        source.pending(run.after)
