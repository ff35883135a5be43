"""Tables and columns that every target makes."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.columns import ABSENT, Kind
from airflow_legacy_events.core.errors import TargetError
from airflow_legacy_events.core.ports.target import Counts, NewColumn
from tests.support.targets import APPLYING, named, upsert, world_of

KINDS = (
    Kind.INTEGER,
    Kind.DECIMAL,
    Kind.FLOAT,
    Kind.BOOLEAN,
    Kind.TEXT,
    Kind.DATE,
    Kind.TIME,
    Kind.TIMESTAMP,
    Kind.INSTANT,
    Kind.UUID,
    Kind.JSON,
    Kind.BYTES,
)
TEXTS = {
    Kind.INTEGER: "9223372036854775807",
    Kind.DECIMAL: "123456.5",
    Kind.FLOAT: "0.1",
    Kind.BOOLEAN: "true",
    Kind.TEXT: "x'ü\"",
    Kind.DATE: "2026-02-28",
    Kind.TIME: "12:30:01",
    Kind.TIMESTAMP: "2026-02-28 12:30:01.5",
    Kind.INSTANT: "2026-02-28 12:30:01.5+00",
    Kind.UUID: "12345678-1234-5678-1234-567812345678",
    Kind.JSON: '{"a": [1, "ü"]}',
    Kind.BYTES: "\\x00ff",
}


@pytest.fixture(params=APPLYING)
def world(request):
    with world_of(request, request.param) as found:
        yield found


def test_a_table_is_made_with_each_kind_and_holds_its_values(world):
    columns = [NewColumn("id", Kind.INTEGER), *(NewColumn(one.value, one) for one in KINDS)]
    world.target.make("made", columns, ["id"])
    shape = world.shape("made")
    assert shape.named(range(len(shape.columns))) == tuple(one.name for one in columns)
    assert shape.named(shape.key) == ("id",)
    assert not shape.columns[0].nullable
    assert world.apply(shape, upsert("1", *TEXTS.values())) == Counts(1)
    assert world.apply(shape, upsert("1", *TEXTS.values())) == Counts(1)
    assert world.apply(shape, upsert("2", *[None] * len(KINDS))) == Counts(1)
    assert len(world.rows("made", "id")) == 2


def test_a_table_that_is_there_is_left(world):
    world.target.make("made", [NewColumn("id", Kind.INTEGER), NewColumn("a", Kind.TEXT)], ["id"])
    shape = world.shape("made")
    world.apply(shape, upsert("1", "x"))
    world.target.make("made", [NewColumn("id", Kind.INTEGER)], ["id"])
    assert world.rows("made") == [(1, "x")]


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.UUID, Kind.INSTANT, Kind.DECIMAL, Kind.BYTES, Kind.BOOLEAN])
def test_a_key_of_each_kind(world, kind):
    world.target.make("made", [NewColumn("k", kind), NewColumn("a", Kind.TEXT)], ["k"])
    shape = world.shape("made")
    text = TEXTS[shape.columns[0].kind if kind is Kind.INSTANT else kind]  # some databases have no zones
    assert world.apply(shape, upsert(text, "x")) == Counts(1)
    assert world.apply(shape, upsert(text, "y")) == Counts(1)
    assert [row[1] for row in world.rows("made")] == ["y"]


def test_columns_are_added_but_those_that_are_there(world):
    world.target.make("made", [NewColumn("id", Kind.INTEGER)], ["id"])
    world.apply(world.shape("made"), upsert("1"))
    new = [NewColumn("id", Kind.INTEGER), NewColumn("a b", Kind.TEXT), NewColumn("n", Kind.DECIMAL, None, True, 12, 2)]
    said = world.target.added("made", new[1:])
    assert "ALTER TABLE" in said
    assert "a b" in said
    world.target.add("made", new)
    world.target.add("made", new)
    shape = world.shape("made")
    assert shape.named(range(3)) == ("id", "a b", "n")
    assert world.apply(shape, upsert(*named(shape, id="1", n="10.25"))) == Counts(1)
    [(_, text, number)] = world.rows("made")
    assert text is None
    assert float(number) == 10.25


def test_the_words_of_the_user_are_the_type(world):
    world.target.make(
        "made", [NewColumn("id", Kind.INTEGER, "smallint"), NewColumn("a", Kind.TEXT, "varchar(7)")], ["id"]
    )
    assert "varchar(7)" in world.shape("made").columns[1].type.lower().replace("character varying", "varchar")


def test_a_statement_that_is_refused_is_in_the_error(world):
    with pytest.raises(TargetError, match=r"(?s)refused; have somebody.*CREATE TABLE .*no such type at all"):
        world.target.make("made", [NewColumn("id", Kind.INTEGER, "(no such type at all")], ["id"])
    assert world.shape("made") is None


def test_rows_of_what_was_added_are_there_after_a_new_look(world):
    world.target.make("made", [NewColumn("id", Kind.INTEGER)], ["id"])
    with world.target.transaction() as unit:
        assert not unit.holds(world.shape("made"))
    world.target.add("made", [NewColumn("b", Kind.TEXT)])
    shape = world.shape("made")
    assert world.apply(shape, upsert("1", ABSENT), upsert("2", "x")) == Counts(2)


def test_a_table_is_known_until_it_is_dropped(world):
    world.target.make("made", [NewColumn("id", Kind.INTEGER)], ["id"])
    first = world.target.identity("made")
    world.target.add("made", [NewColumn("b", Kind.TEXT)])
    assert world.target.identity("made") == first or world.dialect == "mysql"
    world.execute("DROP TABLE made")
    world.target.make("made", [NewColumn("id", Kind.INTEGER)], ["id"])
    assert first is None or world.dialect == "mysql" or world.target.identity("made") != first
