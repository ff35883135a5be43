"""What a user declares about a target: versions, marks of deleted rows, event ids, keys, whole rows."""

from __future__ import annotations

import datetime as dt

import pytest

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports.target import Counts, ObjectionError
from tests.support.targets import APPLYING, delete, named, upsert, world_of


@pytest.fixture(params=APPLYING)
def world(request):
    with world_of(request, request.param) as found:
        yield found


def column_of(world, name, where="id = 1"):
    [(value,)] = world.execute(f"SELECT {name} FROM t WHERE {where}")
    return value


@pytest.fixture
def versioned(world):
    world.execute("CREATE TABLE t (id integer NOT NULL PRIMARY KEY, a varchar(40), v integer)")
    return world.shape(version="v")


def test_an_older_version_is_kept_out(world, versioned):
    assert world.apply(versioned, upsert("1", "new", "5"), upsert("2", "x", "1")) == Counts(2)
    assert world.apply(versioned, upsert("1", "old", "4"), upsert("2", "y", "1"), upsert("3", "z", "1")) == Counts(
        2, 0, 1
    )
    assert world.rows() == [(1, "new", 5), (2, "y", 1), (3, "z", 1)]


def test_a_delete_below_the_version_is_kept_out_where_the_message_has_it(world, versioned):
    world.apply(versioned, upsert("1", "new", "5"), upsert("2", "new", "5"), upsert("3", "new", "5"))
    older, newer, without = (delete(versioned, key) for key in "123")
    older.row, newer.row = ("1", ABSENT, "4"), ("2", ABSENT, "6")
    assert world.apply(versioned, older, newer, without) == Counts(0, 2, 1)
    assert world.rows() == [(1, "new", 5)]


def test_a_message_or_row_without_a_version_can_not_be_compared(world, versioned):
    world.apply(versioned, upsert("1", "x", "5"), upsert("2", "x", None))
    assert world.apply(versioned, upsert("1", "y", ABSENT), upsert("2", "y", "1")) == Counts(2)
    assert world.rows() == [(1, "y", 5), (2, "y", 1)]


def test_a_changed_key_below_the_version_is_kept_out(world, versioned):
    world.apply(versioned, upsert("1", "new", "5"))
    assert world.apply(versioned, upsert("7", "old", "4", former=("1",))) == Counts(0, 0, 1)
    assert world.apply(versioned, upsert("7", "newer", "6", former=("1",))) == Counts(1)
    assert world.rows() == [(7, "newer", 6)]


def test_a_deleted_row_is_marked_and_an_upsert_takes_the_mark_away(world):
    world.execute("CREATE TABLE t (id integer NOT NULL PRIMARY KEY, a varchar(40), gone boolean)")
    shape = world.shape(deleted="gone")
    world.apply(shape, upsert("1", "x", ABSENT), upsert("2", "x", ABSENT))
    assert not column_of(world, "gone")
    assert world.apply(shape, delete(shape, "1"), delete(shape, "9")) == Counts(0, 2)
    assert [bool(row[2]) for row in world.rows()] == [True, False]
    assert world.apply(shape, upsert("1", ABSENT, ABSENT)) == Counts(1)
    assert [(row[1], bool(row[2])) for row in world.rows()] == [("x", False), ("x", False)]


def test_a_deleted_row_has_the_time_of_its_deletion(world):
    world.execute(f"CREATE TABLE t (id integer NOT NULL PRIMARY KEY, a varchar(40), gone {world.timestamp})")
    shape = world.shape(deleted="gone")
    world.apply(shape, upsert("1", "x", ABSENT), upsert("2", "x", ABSENT))
    world.apply(shape, delete(shape, "1"))
    gone = column_of(world, "gone")
    found = gone if isinstance(gone, dt.datetime) else dt.datetime.fromisoformat(gone)
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    assert abs(now - found) < dt.timedelta(minutes=2)
    assert column_of(world, "gone", "id = 2") is None
    world.apply(shape, truncated=True)
    assert column_of(world, "gone", "id = 2") is not None
    world.apply(shape, upsert("1", "y", ABSENT))
    assert column_of(world, "gone") is None


def test_a_marked_row_keeps_the_version_of_its_deletion(world):
    world.execute("CREATE TABLE t (id integer NOT NULL PRIMARY KEY, v integer, gone boolean)")
    shape = world.shape(deleted="gone", version="v")
    world.apply(shape, upsert("1", "5", ABSENT))
    gone = delete(shape, "1")
    gone.row = ("1", "7", ABSENT)
    world.apply(shape, gone)
    assert world.apply(shape, upsert("1", "6", ABSENT)) == Counts(0, 0, 1)
    assert bool(column_of(world, "gone"))


def test_each_appended_message_is_a_row(world):
    world.execute("CREATE TABLE t (a varchar(40), b varchar(40) DEFAULT 'default')")
    shape = world.shape(append=True)
    assert shape.key == ()
    assert world.apply(shape, upsert("x", ABSENT), upsert("x", None), upsert("x", ABSENT)) == Counts(3)
    assert sorted(map(repr, world.rows())) == sorted(map(repr, [("x", "default"), ("x", None), ("x", "default")]))


def test_an_appended_event_id_that_is_there_is_a_repeat(world):
    world.execute(f"CREATE TABLE t (event {world.key_text} UNIQUE, a varchar(40))")
    shape = world.shape(append=True, event_id="event")
    assert shape.named(shape.repeats) == ("event",)
    assert world.apply(shape, upsert("e1", "x"), upsert("e2", "x"), upsert("e1", "z")) == Counts(2, 0, 1)
    assert world.apply(shape, upsert("e2", "y"), upsert("e3", "y")) == Counts(1, 0, 1)
    assert world.rows() == [("e1", "x"), ("e2", "x"), ("e3", "y")]


def test_an_event_id_that_is_not_unique_is_no_sign_of_a_repeat(world):
    world.execute("CREATE TABLE t (event varchar(40), a varchar(40))")
    assert world.shape(append=True, event_id="event").repeats == ()


def test_a_row_that_is_missing_is_refused_where_its_message_is_partial(world):
    world.execute("CREATE TABLE t (id integer NOT NULL PRIMARY KEY, a varchar(40) NOT NULL, b varchar(40))")
    shape = world.shape()
    world.apply(shape, upsert("1", "x", "y"))
    assert world.apply(shape, upsert("1", ABSENT, "z", partial=("a",))) == Counts(1)
    with pytest.raises(ObjectionError) as error:
        world.apply(shape, upsert("2", ABSENT, "z", partial=("a",)))
    assert error.value.code == "INCOMPLETE"
    assert "left out a " in error.value.reason
    with pytest.raises(ObjectionError, match="left out a "):
        world.apply(shape, upsert("1", ABSENT, "z", partial=("a",), whole=True))
    assert world.apply(shape, upsert("2", "n", "z", partial=("a",))) == Counts(1)
    assert world.rows() == [(1, "x", "z"), (2, "n", "z")]


def test_a_row_that_is_there_needs_no_column_that_has_neither_null_nor_default(world):
    world.execute("CREATE TABLE t (id integer NOT NULL PRIMARY KEY, a varchar(40) NOT NULL, b varchar(40))")
    shape = world.shape()
    world.apply(shape, upsert("1", "x", "y"))
    assert world.apply(shape, upsert("1", ABSENT, "z")) == Counts(1)
    assert world.rows() == [(1, "x", "z")]


def test_the_key_is_the_primary_key_else_a_unique_index_over_columns_without_null(world):
    t = world.key_text
    world.execute(f"CREATE TABLE t (c {t} NOT NULL, a {t} UNIQUE, b {t} NOT NULL UNIQUE, d integer)")
    shape = world.shape()
    assert shape.named(shape.key) == ("b",)
    other = world.shape(key=("a",))
    assert other.named(other.key) == ("a",)
    world.apply(shape, upsert("c", "a", "b", "1"))
    assert world.apply(other, upsert("c", "a", "b", "2")) == Counts(1)
    assert world.rows() == [("c", "a", "b", 2)]


def test_a_key_of_two_columns(world):
    world.execute("CREATE TABLE t (b integer NOT NULL, a integer NOT NULL, x varchar(40), PRIMARY KEY (a, b))")
    shape = world.shape()
    assert shape.named(shape.key) == ("a", "b")
    every = [upsert(str(b), str(a), "x") for a in range(15) for b in range(30)]
    assert world.apply(shape, *every) == Counts(450)
    assert world.apply(shape, *every[:300], delete(shape, "14", "29")) == Counts(300, 1)
    assert world.apply(shape, upsert("100", "1", ABSENT, former=("1", "5"))) == Counts(1)
    assert len(world.rows()) == 449
    assert (100, 1, "x") in world.rows()


def test_all_that_is_wrong_is_in_one_message(world):
    world.execute("CREATE TABLE t (a varchar(40), b varchar(40))")
    with pytest.raises(ConfigurationError) as error:
        world.shape(version="v", deleted="b")
    text = str(error.value)
    for words in (
        "needs a key: add a primary key",
        "version_column: there is no column 'v'",
        "deleted_column='b': name a",
    ):
        assert words in text
    with pytest.raises(ConfigurationError, match=r"key_columns=\['a'\]: create a unique index"):
        world.shape(key=("a",))
    with pytest.raises(ConfigurationError, match="there is no column 'z'"):
        world.shape(key=("z",))
    with pytest.raises(ConfigurationError, match="version_column='b': name a column of numbers or times"):
        world.shape(append=True, version="b")


def test_a_view_is_no_target(world):
    world.execute("CREATE TABLE t (id integer NOT NULL PRIMARY KEY)")
    world.execute("CREATE VIEW w AS SELECT id FROM t")
    with pytest.raises(ConfigurationError, match="view"):
        world.shape("w")


def test_a_table_that_is_not_there_has_no_shape(world):
    assert world.shape("nothing") is None


@pytest.mark.parametrize("name", ["select", "Mixed Case", "a.b", 'quo"te', "per%cent", "co:lon", "back`tick", "ünï"])
def test_any_name_of_a_table_and_of_columns(world, name):
    quoted = world.q(name)
    world.execute(
        f"CREATE TABLE {quoted} ({world.q('order')} integer NOT NULL PRIMARY KEY, {quoted} varchar(40),"
        f" {world.q('x y')} varchar(40) DEFAULT 'a:b%')"
    )
    shape = world.shape(name)
    row = named(shape, **{"order": "1", name: "x"})
    assert world.apply(shape, upsert(*row)) == Counts(1)
    assert world.apply(shape, upsert(*row, whole=True)) == Counts(1)
    assert world.apply(shape, upsert(*named(shape, **{"order": "2", name: "y"}), former=("1",))) == Counts(1)
    assert world.rows(quoted) == [(2, "y", "a:b%")]
    assert world.apply(shape, delete(shape, "2")) == Counts(0, 1)
    assert world.rows(quoted) == []


def test_a_table_is_found_by_schema_or_in_another_case(world):
    world.execute("CREATE TABLE t (id integer NOT NULL PRIMARY KEY)")
    assert world.shape("T").named((0,)) == ("id",)


def test_parents_are_named_as_the_user_wrote_them(world):
    world.execute("CREATE TABLE p (id integer NOT NULL PRIMARY KEY)")
    world.execute(
        "CREATE TABLE t (id integer NOT NULL PRIMARY KEY, p_id integer, CONSTRAINT of_p FOREIGN KEY (p_id) REFERENCES p"
        " (id) ON DELETE CASCADE)"
    )
    assert world.shape("t", others=("p", "t")).parents == ("p",)
    parent = world.shape("p", others=("p", "t"))
    assert parent.parents == ()
    assert "ON DELETE CASCADE" in " ".join(parent.warnings)
    assert world.shape("t").warnings == ()
