"""Tables, servers and users of MySQL and MariaDB that a topic can't be applied with: each is named with its remedy."""

from __future__ import annotations

from contextlib import closing

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.columns import ABSENT, Kind
from airflow_legacy_events.core.errors import ConfigurationError, TargetError, WatermarkError
from airflow_legacy_events.core.ports.target import Counts, NewColumn, ObjectionError
from airflow_legacy_events.watermarks.in_target import TargetPositions
from tests.services.mariadb import MariaDB
from tests.services.mysql import MySQL
from tests.services.mysql9 import MySQL9
from tests.support.engines import ENGINES, MARIADB, of
from tests.support.legacy import Legacy, connected
from tests.support.mysql import User
from tests.support.profile import LONG
from tests.support.targets import World, upsert, world_of

TABLE = "CREATE TABLE t (id integer PRIMARY KEY, a varchar(2000))"


@pytest.fixture(params=of("mysql"))
def world(request):
    with world_of(request, request.param) as found:
        yield found


@pytest.mark.parametrize("engine", ["MyISAM", "MEMORY"])
def test_an_engine_without_transactions(world, engine):
    world.execute(f"{TABLE.replace('2000', '9')} ENGINE={engine}")
    with pytest.raises(ConfigurationError, match=f"engine {engine}") as error:
        world.shape()
    database = world.legacy.url.database
    assert f"\nALTER TABLE `{database}`.`t` ENGINE=InnoDB" in str(error.value)
    world.execute("ALTER TABLE t ENGINE=InnoDB")
    assert world.shape() is not None


def test_a_view(world):
    world.execute(TABLE)
    world.execute("CREATE VIEW v AS SELECT * FROM t")
    with pytest.raises(ConfigurationError, match="Name the table below 'v', which is a view"):
        world.shape("v")


def test_a_table_that_is_not_there_has_no_shape(world):
    assert world.shape("missing") is None
    assert world.target.identity("missing") is None


def test_keys_that_are_no_unique_index(world):
    world.execute(f"{TABLE[:-1]}, b blob, f float UNIQUE NOT NULL, UNIQUE (a(9)), KEY (a(20)))")
    with pytest.raises(ConfigurationError, match="create a unique index over them"):
        world.shape(key=("a",))
    with pytest.raises(ConfigurationError, match="values of type float can't be compared exactly"):
        world.shape(key=("f",))
    assert world.shape().key == (0,)


def test_a_table_without_a_key(world):
    world.execute("CREATE TABLE t (a integer, b integer)")
    with pytest.raises(ConfigurationError, match="mode='upsert' needs a key: add a primary key"):
        world.shape()
    world.execute("CREATE UNIQUE INDEX both_of_t ON t (a, b)")
    assert world.shape(key=("a", "b")).key == (0, 1)


def test_all_that_is_wrong_is_in_one_message(world):
    world.execute("CREATE TABLE t (a integer, b blob)")
    with pytest.raises(ConfigurationError, match="for 3 reasons") as error:
        world.shape(version="b", deleted="b")
    assert all(f"\n{number}. " in str(error.value) for number in (1, 2, 3))


class TestRights:
    @pytest.fixture(params=[one for one in of("mysql") if one != "mysql-5.6"])  # there all may use databases of tests
    def world(self, request):
        with world_of(request, request.param) as found:
            yield found

    @pytest.fixture
    def user(self, world):
        world.execute(TABLE)
        found = User(world.legacy)
        found.grant("USAGE ON *.*")
        world.legacy.url = world.legacy.url.set(username=found.name)
        yield found
        found.drop()

    def test_missing_ones_are_named_as_a_grant(self, world, user):
        database = world.legacy.url.database
        user.grant(f"SELECT ON {database}.t")
        with closing(world.another()) as target:
            with pytest.raises(ConfigurationError, match="lacks INSERT, UPDATE") as error:
                World.shape(_With(target))
            assert f"\nGRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`t` TO '{user.name}'@'" in str(error.value)
            user.grant(f"INSERT, UPDATE ON {database}.t")
            shape = World.shape(_With(target))
            assert shape.facts.looks == "triggers"
            World.apply(_With(target), shape, upsert("1", "x"))
            with pytest.raises(TargetError, match="DELETE command denied") as refused:
                World.apply(_With(target), shape, truncated=True)
            assert f"\nGRANT DELETE ON `{database}`.`t` TO '{user.name}'@'" in str(refused.value)

    def test_without_temporary_tables_rows_are_updated_one_by_one(self, world, user):
        database = world.legacy.url.database
        world.execute("ALTER TABLE t ADD COLUMN n integer UNIQUE")
        user.grant(f"SELECT, INSERT, UPDATE, DELETE ON {database}.t")
        with closing(world.another()) as target:
            shape = World.shape(_With(target))
            for value in "xy":
                rows = [upsert(str(at), value, str(at)) for at in range(20)]
                assert World.apply(_With(target), shape, *rows) == Counts(20, 0, 0)
        assert world.rows() == [(at, "y", at) for at in range(20)]


class _With:
    """A world of another target."""

    def __init__(self, target):
        self.target = target


def test_tables_and_columns_are_made_and_written_to(world):
    kinds = [kind for kind in Kind if kind is not Kind.ARRAY]
    columns = [NewColumn("k", Kind.TEXT), *(NewColumn(f"c_{kind}", kind) for kind in kinds)]
    for _ in range(2):
        world.target.make("made", columns, ["k"])
    shape = world.shape("made")
    assert shape.named(shape.key) == ("k",)
    assert shape.columns[1 + kinds.index(Kind.DECIMAL)].type == "decimal(65,30)"
    assert world.apply(shape, *(upsert(key, *[None] * len(kinds)) for key in ("a", "A", "á"))) == Counts(3, 0, 0)
    more = [NewColumn("more", Kind.TEXT, length=9), NewColumn("c_text", Kind.TEXT)]
    assert world.target.added("made", more[:1]) == "ALTER TABLE `made` ADD COLUMN `more` varchar(9)"
    for _ in range(2):
        world.target.add("made", more)
    assert world.shape("made").named([len(columns)]) == ("more",)


def test_tables_are_made_with_transactions_where_the_default_engine_has_none(world):
    world.legacy.begin_with(default_storage_engine="MyISAM")
    with closing(world.another()) as target:
        target.make("made", [NewColumn("id", Kind.INTEGER)], ["id"])
        assert World.shape(_With(target), "made") is not None
        positions = TargetPositions(target.engine, "dwh")
        assert positions.load("s") is None
        assert world.execute("SHOW TABLE STATUS LIKE 'legacy\\_events\\_watermarks'")[0][1] == "InnoDB"
        world.execute("ALTER TABLE legacy_events_watermarks ENGINE=MyISAM")
        with pytest.raises(WatermarkError, match="ALTER TABLE legacy_events_watermarks ENGINE=InnoDB"):
            positions.load("s")


@pytest.fixture(scope="module", params=[MariaDB, MySQL9, MySQL] if LONG else [MariaDB])
def alone(request):
    settings = {"max-allowed-packet": "1M"}
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv(request.param.variable, raising=False)
        server = request.param(shared=False, settings=settings)
        yield server
        server.stop()


@pytest.fixture
def on_its_own(alone):
    alone.execute("DROP DATABASE IF EXISTS small")
    alone.execute("CREATE DATABASE small")
    url = sa.make_url(alone.url("small"))
    world = World(Legacy(ENGINES[MARIADB[0]], url, connected(url)))
    yield world
    world.target.close()
    world.legacy.connection.close()


def test_a_server_that_is_read_only_takes_nothing_whatever_the_rights(on_its_own):
    on_its_own.execute(f"{TABLE} ENGINE=InnoDB")
    on_its_own.execute("SET GLOBAL read_only = ON")
    try:
        with pytest.raises(ConfigurationError, match="Name a connection of the primary: this server has read_only"):
            on_its_own.shape()
    finally:
        on_its_own.execute("SET GLOBAL read_only = OFF")


def test_a_replica_takes_nothing_whatever_the_rights(alone, on_its_own):
    on_its_own.execute(f"{TABLE} ENGINE=InnoDB")
    new = isinstance(alone, MySQL9)
    source, replica = ("SOURCE", "REPLICA") if new else ("MASTER", "SLAVE")
    words = "REPLICATION SOURCE" if new else "MASTER"
    on_its_own.execute(f"CHANGE {words} TO {source}_HOST = '127.0.0.1', {source}_PORT = 1")
    try:
        with pytest.raises(ConfigurationError, match=r"this server is a replica, its source is 127\.0\.0\.1:1"):
            on_its_own.shape()
    finally:
        on_its_own.execute(f"RESET {replica} ALL")


def test_statements_stay_below_what_the_server_takes(on_its_own):
    on_its_own.execute("CREATE TABLE t (id integer PRIMARY KEY, a longtext, b longblob) ENGINE=InnoDB")
    shape = on_its_own.shape()
    rows = [upsert(str(at), "'" * 200_000, r"\x" + "00" * 200_000) for at in range(5)]
    assert on_its_own.apply(shape, *rows) == Counts(5, 0, 0)
    assert on_its_own.rows("t", "id, LENGTH(a), LENGTH(b)") == [(at, 200_000, 200_000) for at in range(5)]
    with pytest.raises(ObjectionError, match="raise its max_allowed_packet") as error:
        on_its_own.apply(shape, upsert("9", "x" * 1_500_000, ABSENT))
    assert error.value.code == "SIZE"
    assert on_its_own.apply(shape, upsert("9", "x", ABSENT)) == Counts(1, 0, 0)
