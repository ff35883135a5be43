"""What commit 55f1e15 has written is read, gone on from, printed and taken back: see `tests/golden/kept/make.py`.

A later release may add facts to a watermark; it loses none and changes none, and sends the very events that 55f1e15
would have sent next.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.golden.kept import places
from tests.golden.kept.places import comparable
from tests.golden.kept.sources import Server, Sqlite
from tests.golden.kept.world import World, replaced
from tests.support.profile import some

pytestmark = pytest.mark.airflow33

HERE = Path(__file__).parents[1] / "golden" / "kept"
NAMES = some(sorted(path.stem for path in HERE.glob("*.json") if path.stem not in ("locks", "names")), 3)
STORES = ("store_variable", "store_table", "store_asset", "store_xcom")
EXPORTED = (
    *STORES,
    *("bulk_broken_postgres", "composite_key", "first_run_included_sqlite", "id_generic", "long_name"),
    *("nulls_always_broken_sqlite", "query_named", "query_reset_broken", "rewound_postgres", "timestamp_mysql"),
)
FIXTURES = {"postgres": "postgres_database", "mysql": "mariadb_database"}

GAINED = {"kind": "query", "placed": True}
"""Facts that a later release adds: a watermark without them is one of a query, and may lack its values unseen."""
FOUND = ("object", "order", "definition", "last", "reached", "topic_id")
"""Facts that a later release adds of what it found; a watermark without them is compared with less."""
WRITTEN_ANEW = ("at", "person", "query", "saved_at", "set_at", "since")
"""Whose text is of the moment at which something was written, of who wrote it, or by a later rule."""


class Kept:
    """One case in a world of this test: everything is in it that 55f1e15 had left."""

    def __init__(self, world, case, new):
        self.world, self.stands = world, new
        self.case = replaced(case, case["stands"], new)

    def put(self, **changed):
        self.world.put({**self.case["kept"], **changed})

    def put_runs(self):
        """The runs alone, without what any of them has kept."""
        self.put(variables={}, xcoms=[], task_state=[], asset_state=[], table=None)

    @property
    def sent(self):
        """The messages of each next step."""
        return [seen["messages"] for seen in self.case["seen"] if seen is not None]


@pytest.fixture
def kept(request, topics, tmp_path):
    """Returns a function that makes the world of a case."""

    def kept(name):
        case = json.loads((HERE / f"{name}.json").read_text())
        source = Sqlite(tmp_path / "shop.db", case["source"])
        if case["source"] in FIXTURES:
            database = request.getfixturevalue(FIXTURES[case["source"]])
            source = Server(case["source"], database.server, database.name)
        world = World(source, topics, tmp_path, case)
        for statement in case["sql"]:
            source.execute(statement)
        world.do_dag(case["changed"])
        return Kept(world, case, world.stands([run["run_id"] for run in case["kept"]["runs"]]))

    yield kept
    places.cleaned()


def plain(value):
    return json.loads(json.dumps(value))


def without(value, names):
    """The same without what later releases add or every run writes anew."""
    if isinstance(value, dict):
        gained = {key for key, one in value.items() if key in FOUND or (key in GAINED and one == GAINED[key])}
        facts = {key: one for key, one in value.items() if key not in gained}
        return {key: without(one, names) for key, one in facts.items() if key not in names}
    return [without(one, names) for one in value] if isinstance(value, list) else value


def left(dump, names=WRITTEN_ANEW):
    return without(comparable(plain(dump)), names)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_read_to_the_very_values_and_gone_on_from(kept, name):
    made = kept(name)
    made.put()
    assert left(made.world.kept(), names=()) == left(made.case["kept"], names=())

    printed = made.case["printed"]
    if printed:
        assert made.world.do_cli("export") == printed["export"]
        shown = made.world.do_cli("show", "{stream}", "-o", "json")
        assert json.loads(shown) == json.loads(printed["show"])

    assert plain(made.world.play(made.case["next"])) == made.case["seen"]
    assert left(made.world.kept()) == left(made.case["after"])


@pytest.mark.parametrize("name", some(EXPORTED, 2))
def test_its_export_file_is_taken_elsewhere_and_gone_on_from(kept, tmp_path, name):
    made = kept(name)
    made.put_runs()
    file = tmp_path / "streams.json"
    file.write_text(made.case["printed"]["export"])

    made.world.do_cli("import", str(file))

    old, new = (json.loads(text) for text in (file.read_text(), made.world.do_cli("export")))
    assert without(new, ("person", "set_at")) == without(old, ("person", "set_at"))
    seen = [one for one in made.world.play(made.case["next"]) if one is not None]
    assert [one["messages"] for one in seen] == made.sent


@pytest.mark.parametrize("name", STORES)
def test_a_stream_that_has_begun_and_has_no_watermark_is_lost(kept, name):
    made = kept(name)
    registered = {key: text for key, text in made.case["kept"]["variables"].items() if ".watermark." not in key}
    made.put(variables=registered, xcoms=[], asset_state=[], table=None)

    (line,) = json.loads(made.world.do_cli("list", "-o", "json"))
    assert (line["stream"], line["watermark"]) == (made.world.stream, "lost")
    with pytest.raises(SystemExit, match="is lost"):
        made.world.do_cli("export")
    seen = made.world.play(made.case["next"])
    assert [(one["state"], one["messages"]) for one in seen if one is not None] == [("failed", [])]
    assert left(made.world.kept())["variables"] == left(made.case["kept"] | {"variables": registered})["variables"]


@pytest.mark.parametrize("name", STORES)
def test_a_stream_is_refused_in_another_store_than_its_own(kept, name):
    made = kept(name)
    made.put()
    store = made.case["arguments"]["watermark_store"]
    made.world.do_dag({"watermark_store": "variable" if store != "variable" else "table:kept_store"})

    seen = made.world.play(made.case["next"])
    assert [(one["state"], one["messages"]) for one in seen if one is not None] == [("failed", [])]
    assert left(made.world.kept())["variables"] == left(made.case["kept"])["variables"]
