"""Positions in a target: the table is made, checked, and never shared with what has no transactions."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports import Answer
from airflow_legacy_events.core.ports.target import ObjectionError
from airflow_legacy_events.watermarks.in_target import TargetPositions
from airflow_legacy_events.watermarks.table import TableWatermarkStore

MARK = Watermark(("t[0]=1",), None, {})


@pytest.fixture
def engine(tmp_path):
    return sa.create_engine(f"sqlite:///{tmp_path}/target.db", poolclass=sa.NullPool)


class Scripted:
    """A transaction that answers as it is given, the rows of a SELECT first."""

    def __init__(self, *answers):
        self.answers, self.statements = list(answers), []

    def execute(self, statement):
        self.statements.append(statement)
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


def test_the_store_is_the_one_that_people_know(engine):
    positions = TargetPositions(engine, "dwh")
    assert positions.name == TableWatermarkStore(engine, "dwh").name == "table:dwh"
    assert positions.load("s") is None
    assert sa.inspect(engine).has_table("legacy_events_watermarks")
    positions.forget("s")


def test_a_row_that_was_inserted_or_changed_meanwhile_is_another_ones(engine):
    positions = TargetPositions(engine, "dwh")
    for answers in (
        (Answer([], 0), ObjectionError("23505", "a key")),
        (Answer([], 0), Answer([], 0)),
    ):
        with pytest.raises(WatermarkError, match="moved by another run or person") as error:
            positions.save(Scripted(*answers), "s", MARK, expected=None)
        assert error.value.retry_helps


def test_a_watermark_that_is_too_long_says_how_to_widen_the_column(engine):
    positions = TargetPositions(engine, "dwh")
    with pytest.raises(WatermarkError, match=r"does not fit.*widen the column"):
        positions.save(Scripted(Answer([], 0), ObjectionError("22001", "too long")), "s", MARK, expected=None)


def test_the_revision_of_a_new_row_is_above_those_of_rows_before_it(engine):
    positions, found = TargetPositions(engine, "dwh"), []
    for _ in range(2):
        unit = Scripted(Answer([], 0), Answer([], 1))
        positions.save(unit, "s", MARK, expected=None)
        found.append(unit.statements[1].compile().params["revision"])
    assert found[0] < found[1]
    assert found[0] > 10**15


def test_a_table_that_can_not_be_made_is_named_with_its_statement(tmp_path):
    read_only = tmp_path / "read_only.db"
    read_only.touch()
    engine = sa.create_engine(f"sqlite:///file:{read_only}?mode=ro&uri=true", poolclass=sa.NullPool)
    with pytest.raises(WatermarkError, match=r"(?s)can't be created.*run: CREATE TABLE"):
        TargetPositions(engine, "dwh").load("s")
