"""Rows of MySQL and MariaDB tables as a target: other rows are never touched, and nothing happens in silence."""

from __future__ import annotations

import datetime as dt
import string

import pytest

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.errors import ConfigurationError, TargetError
from airflow_legacy_events.core.ports.target import Counts, ObjectionError
from airflow_legacy_events.databases.mysql.target.keys import _PLAIN_COLLATIONS
from tests.support.engines import MARIADB, of
from tests.support.targets import delete, named, upsert, world_of

OLD_TIME = "2020-01-01 00:00:00"


@pytest.fixture(params=of("mysql", also=["mysql-5.6"]))
def world(request):
    with world_of(request, request.param) as found:
        yield found


@pytest.fixture
def keyed(world):
    world.execute("CREATE TABLE t (id integer PRIMARY KEY, email varchar(20) UNIQUE, n integer)")
    shape = world.shape()
    world.apply(shape, upsert("1", "a", "1"), upsert("2", "b", "2"))
    return shape


def test_a_value_of_another_unique_index_never_reaches_the_row_that_has_it(world, keyed):
    with pytest.raises(ObjectionError, match="unique index 'email' has a row of that value already") as error:
        world.apply(keyed, upsert("3", "a", "99"))
    assert (error.value.code, world.rows()) == ("1062", [(1, "a", 1), (2, "b", 2)])


@pytest.mark.parametrize("count", [1, 20])
def test_rows_that_are_there_are_updated_beside_another_unique_index(world, keyed, count):
    each = [upsert(str(at), f"x{at}", str(at)) for at in range(1, count + 1)]
    assert world.apply(keyed, *each) == Counts(count, 0, 0)
    assert world.apply(keyed, *(upsert(str(at), ABSENT, "7") for at in range(1, count + 1))) == Counts(count, 0, 0)
    assert world.rows()[:count] == [(at, f"x{at}", 7) for at in range(1, count + 1)]


def test_a_value_that_a_deleted_row_had_is_free_for_another(world, keyed):
    assert world.apply(keyed, delete(keyed, "1"), upsert("3", "a", "3")) == Counts(1, 1, 0)
    assert world.rows() == [(2, "b", 2), (3, "a", 3)]


def test_zero_in_a_numbered_key_stays_zero_with_every_repeat(world):
    world.execute("CREATE TABLE t (id integer AUTO_INCREMENT PRIMARY KEY, a varchar(9))")
    shape = world.shape()
    for _ in range(2):
        assert world.apply(shape, upsert("0", "zero"), upsert("5", "five")) == Counts(2, 0, 0)
    assert world.rows() == [(0, "zero"), (5, "five")]


def test_a_number_beside_the_business_key_is_not_used_up_by_rows_that_are_there(world):
    world.execute(
        "CREATE TABLE t (code varchar(9) COLLATE utf8mb4_bin PRIMARY KEY, a integer, n integer UNIQUE AUTO_INCREMENT)"
    )
    shape = world.shape()
    for at in range(30):
        world.apply(shape, upsert("x", str(at), ABSENT))
    world.apply(shape, upsert("y", "1", ABSENT))
    assert world.rows() == [("x", 29, 1), ("y", 1, 2)]


def test_a_column_that_is_not_null_may_be_left_out_of_a_row_that_is_there(world):
    world.execute("CREATE TABLE t (id integer PRIMARY KEY, a varchar(9) NOT NULL, n integer)")
    shape = world.shape()
    world.apply(shape, upsert("1", "kept", "1"))
    assert world.apply(shape, upsert("1", ABSENT, "2")) == Counts(1, 0, 0)
    assert world.rows() == [(1, "kept", 2)]
    with pytest.raises(ObjectionError, match="Field 'a' doesn't have a default value") as error:
        world.apply(shape, upsert("2", ABSENT, "2"))
    assert error.value.code == "1364"


def test_a_time_that_moves_with_every_update_stays_where_a_message_leaves_it_out(world):
    world.execute(
        f"CREATE TABLE t (id integer PRIMARY KEY, a integer, at datetime NOT NULL DEFAULT '{OLD_TIME}' ON UPDATE"
        " CURRENT_TIMESTAMP, email varchar(9) UNIQUE)"
    )
    shape = world.shape()
    for count in (1, 20):
        rows = [(str(at), f"e{at}") for at in range(count)]
        world.apply(shape, *(upsert(at, "1", ABSENT, email) for at, email in rows))
        world.apply(shape, *(upsert(at, "2", ABSENT, email) for at, email in rows))
    assert {row[2] for row in world.rows()} == {dt.datetime.fromisoformat(OLD_TIME)}


def test_triggers_of_inserts_do_not_fire_for_rows_that_are_there(world):
    world.execute("CREATE TABLE t (id integer PRIMARY KEY, a integer)")
    world.execute("CREATE TABLE fired (id integer)")
    world.execute("CREATE TRIGGER t_new BEFORE INSERT ON t FOR EACH ROW INSERT INTO fired VALUES (NEW.id)")
    shape = world.shape()
    for value in "12":
        assert world.apply(shape, upsert("1", value)) == Counts(1, 0, 0)
    assert (world.rows(), world.rows("fired")) == ([(1, 2)], [(1,)])


def test_a_trigger_that_refuses_rows_ends_the_run_without_its_words(world):
    world.execute("CREATE TABLE t (id integer PRIMARY KEY, a integer)")
    world.execute(
        "CREATE TRIGGER t_refused BEFORE UPDATE ON t FOR EACH ROW"
        " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'secret value'"
    )
    shape = world.shape()
    world.apply(shape, upsert("1", "1"))
    with pytest.raises(TargetError, match="a trigger or procedure raised an exception") as error:
        world.apply(shape, upsert("1", "2"))
    assert "secret" not in str(error.value)


class TestReferences:
    @pytest.fixture
    def parent(self, world):
        world.execute("CREATE TABLE t (id integer PRIMARY KEY, a varchar(9) DEFAULT 'd') ENGINE=InnoDB")
        world.execute(
            "CREATE TABLE child (id integer PRIMARY KEY, parent integer, CONSTRAINT of_t FOREIGN KEY (parent)"
            " REFERENCES t (id) ON DELETE CASCADE ON UPDATE CASCADE) ENGINE=InnoDB"
        )
        shape = world.shape()
        world.apply(shape, upsert("1", "x"))
        world.execute("INSERT INTO child VALUES (7, 1)")
        return shape

    def test_children_that_go_with_a_row_are_named_at_the_start(self, parent):
        [warning] = parent.warnings
        assert "foreign key of_t" in warning
        assert "ON DELETE CASCADE" in warning

    def test_a_row_that_was_deleted_and_written_again_keeps_its_children(self, world, parent):
        assert world.apply(parent, upsert("1", ABSENT, whole=True)) == Counts(1, 0, 0)
        assert (world.rows(), world.rows("child")) == ([(1, "d")], [(7, 1)])

    def test_children_follow_a_key_that_changes(self, world, parent):
        assert world.apply(parent, upsert("5", ABSENT, former=("1",))) == Counts(1, 0, 0)
        assert (world.rows(), world.rows("child")) == ([(5, "x")], [(7, 5)])

    def test_parents_are_named_as_the_user_named_them(self, world, parent):
        database = world.legacy.url.database
        assert world.shape("child", others=("t", "child")).parents == ("t",)
        assert world.shape("child", others=(f"{database}.t",)).parents == (f"{database}.t",)
        assert world.shape("child").parents == ()

    def test_a_missing_parent_is_an_objection(self, world, parent):
        with pytest.raises(ObjectionError, match="of_t") as error:
            world.apply(world.shape("child"), upsert("8", "99"))
        assert error.value.code == "1452"


class TestSpellings:
    @pytest.fixture(params=["utf8mb4_general_ci", "latin1_swedish_ci", "utf8mb4_unicode_ci"])
    def shape(self, request, world):
        charset = request.param.partition("_")[0]
        world.execute(
            f"CREATE TABLE t (code varchar(9) CHARACTER SET {charset} COLLATE {request.param}, n integer, a integer,"
            " PRIMARY KEY (code, n))"
        )
        return world.shape()

    @pytest.mark.parametrize("other", ["A", "á", "a "])
    def test_two_of_one_key_in_a_batch_end_the_run(self, world, shape, other):
        with pytest.raises(ConfigurationError, match="two spellings of a key for one: code, n of two messages"):
            world.apply(shape, upsert("a", "1", "1"), upsert("b", "1", "1"), upsert(other, "1", "2"))
        assert world.rows() == []

    @pytest.mark.parametrize("other", ["A", "á", "a "])
    def test_one_that_a_row_has_otherwise_ends_the_run(self, world, shape, other):
        world.apply(shape, upsert("a", "1", "1"))
        for change in (upsert(other, "1", "2"), delete(shape, other, "1")):
            with pytest.raises(ConfigurationError, match=r"of a row differ, and collation \w+_ci calls"):
                world.apply(shape, change)
        assert world.rows() == [("a", 1, 1)]

    def test_a_key_that_is_renamed_may_take_another_spelling(self, world, shape):
        world.apply(shape, upsert("a", "1", "1"))
        assert world.apply(shape, upsert("A", "1", "2", former=("a", "1"))) == Counts(1, 0, 0)
        assert world.rows() == [("A", 1, 2)]

    def test_keys_that_differ_are_left_alone(self, world, shape):
        keys = ["a", "b", "ä", "a b", "Ab"] if "latin1" in str(shape.facts) else ["a", "b", "a b", "Ab", "ж"]
        assert world.apply(shape, *(upsert(key, "1", "1") for key in keys)) == Counts(len(keys), 0, 0)
        assert world.apply(shape, *(upsert(key, "1", "2") for key in keys)) == Counts(len(keys), 0, 0)
        assert world.apply(shape, *(delete(shape, key, "1") for key in keys)) == Counts(0, len(keys), 0)


def test_a_collation_of_bytes_takes_every_spelling_but_spaces_at_the_end(world):
    world.execute("CREATE TABLE t (code varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, a integer)")
    shape = world.shape()
    assert world.apply(shape, *(upsert(key, "1") for key in ("a", "A", "á"))) == Counts(3, 0, 0)
    assert world.target.identity_of(shape, ("a",)) == world.target.identity_of(shape, ("a ",))
    with pytest.raises(ConfigurationError, match="collation utf8mb4_bin"):
        world.apply(shape, delete(shape, "a "))


def test_keys_of_bytes_and_times_are_found_in_every_form(world):
    world.execute("CREATE TABLE t (k varbinary(9), at datetime(3), d decimal(5,2), a integer, PRIMARY KEY (k, at, d))")
    shape = world.shape()
    world.apply(shape, upsert(r"\x6100", "2026-01-01 00:00:00.500", "1.50", "1"))
    assert world.apply(shape, upsert(r"\x6100", "2026-01-01 00:00:00.5", "1.5", "2", whole=True)) == Counts(1, 0, 0)
    assert [row[3] for row in world.rows()] == [2]
    assert world.apply(shape, delete(shape, r"\x6100", "2026-01-01 00:00:00.5", "1.5")) == Counts(0, 1, 0)
    assert world.rows() == []


@pytest.mark.parametrize(("type_", "live"), [("tinyint(1)", 0), ("datetime(2) NULL", None), ("date NULL", None)])
def test_rows_are_marked_as_deleted_and_unmarked_when_they_are_written_again(world, type_, live):
    world.execute(f"CREATE TABLE t (id integer PRIMARY KEY, a integer, gone {type_})")
    shape = world.shape(deleted="gone")
    world.apply(shape, upsert("1", "1", ABSENT), upsert("2", "1", ABSENT))
    assert world.apply(shape, delete(shape, "1"), delete(shape, "9")) == Counts(0, 2, 0)
    assert [(row[0], row[2] == live) for row in world.rows()] == [(1, False), (2, True)]
    world.apply(shape, upsert("1", "2", ABSENT))
    assert [(row[1], row[2]) for row in world.rows()] == [(2, live), (1, live)]


def test_an_older_version_is_kept_out_and_counted(world):
    world.execute("CREATE TABLE t (id integer PRIMARY KEY, a varchar(9), v bigint)")
    shape = world.shape(version="v")
    world.apply(shape, upsert("1", "x", "5"), upsert("2", "x", "5"), upsert("3", "x", None))
    old = delete(shape, "2")
    old.row = named(shape, id="2", v="4")
    found = world.apply(shape, upsert("1", "y", "4"), old, upsert("3", "y", "1"), upsert("4", "y", "1"))
    assert found == Counts(2, 0, 2)
    assert world.rows() == [(1, "x", 5), (2, "x", 5), (3, "y", 1), (4, "y", 1)]
    assert world.apply(shape, upsert("1", "z", "5"), delete(shape, "2")) == Counts(1, 1, 0)


def test_rows_are_appended_and_repeats_of_an_event_skipped(world):
    world.execute("CREATE TABLE t (event varchar(40) COLLATE utf8mb4_bin UNIQUE, a integer)")
    shape = world.shape(append=True, event_id="event")
    assert world.apply(shape, upsert("e1", "1"), upsert("e2", "2"), upsert("e1", "3")) == Counts(2, 0, 1)
    assert world.apply(shape, upsert("e2", "4"), upsert("e3", "5")) == Counts(1, 0, 1)
    assert world.rows() == [("e1", 1), ("e2", 2), ("e3", 5)]


def test_rows_are_appended_to_a_table_without_a_key(world):
    world.execute("CREATE TABLE t (a integer)")
    shape = world.shape(append=True)
    assert world.apply(shape, upsert("1"), upsert("1"), upsert(ABSENT)) == Counts(3, 0, 0)
    assert sorted(world.execute("SELECT a FROM t"), key=str) == [(1,), (1,), (None,)]


def test_a_partitioned_table_is_written_to(world):
    world.execute("CREATE TABLE t (id integer PRIMARY KEY, a integer) PARTITION BY HASH (id) PARTITIONS 3")
    shape = world.shape()
    for value in "12":
        assert world.apply(shape, *(upsert(str(at), value) for at in range(9))) == Counts(9, 0, 0)
    assert world.rows() == [(at, 2) for at in range(9)]


def test_a_row_that_belongs_to_no_partition_ends_the_run(world):
    world.execute(
        "CREATE TABLE t (id integer PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION few VALUES LESS THAN (10))"
    )
    with pytest.raises(TargetError, match="1526"):
        world.apply(world.shape(), upsert("11"))


@pytest.fixture(params=MARIADB)
def maria(request):
    with world_of(request, request.param) as found:
        yield found


def test_a_versioned_table_keeps_its_history(maria):
    maria.execute("CREATE TABLE t (id integer PRIMARY KEY, a integer) WITH SYSTEM VERSIONING")
    shape = maria.shape()
    maria.apply(shape, upsert("1", "1"))
    maria.apply(shape, upsert("1", "2"))
    maria.apply(shape, delete(shape, "1"))
    assert maria.rows() == []
    assert maria.rows("t FOR SYSTEM_TIME ALL", "id, a") == [(1, 1), (1, 2)]
    maria.execute("DROP TABLE t")


def test_sequences_of_defaults_are_not_used_up_by_rows_that_are_there(maria):
    maria.execute("CREATE SEQUENCE numbers")
    maria.execute("CREATE TABLE t (id integer PRIMARY KEY, n integer DEFAULT nextval(numbers), a integer)")
    shape = maria.shape()
    for value in "123":
        maria.apply(shape, upsert("1", ABSENT, value))
    maria.apply(shape, upsert("2", ABSENT, "1"))
    assert maria.rows() == [(1, 1, 3), (2, 2, 1)]
    maria.execute("DROP TABLE t")
    maria.execute("DROP SEQUENCE numbers")


def test_plain_keys_are_compared_by_their_letters_in_common_collations(world):
    shown = "full_collation_name" if world.legacy.engine.name.startswith("mariadb") else "collation_name"
    asked = f"SELECT DISTINCT {shown}, character_set_name FROM information_schema.collation_character_set_applicability"
    common = [(name, charset) for name, charset in world.execute(asked) if name and _PLAIN_COLLATIONS.fullmatch(name)]
    letters = string.ascii_letters + string.digits + "_.:/-"
    words = [*letters, *(first + second for first in "aAz-9_" for second in letters)]
    world.execute("CREATE TABLE words (w varchar(9) CHARACTER SET ascii)")
    world.execute(f"INSERT INTO words VALUES {', '.join(f'({word!r})' for word in words)}")
    assert len(common) > 5
    for name, charset in common:
        counted = f"SELECT COUNT(DISTINCT CONVERT(w USING {charset}) COLLATE {name}) FROM words"
        assert world.execute(counted) == [(len({word.lower() for word in words}),)], name
