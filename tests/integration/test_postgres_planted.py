"""Functions and operators of a hostile schema that are nearer than the server's are not called by questions of ours."""

from __future__ import annotations

import pytest

from tests.support.engines import of
from tests.support.legacy import reused_database

TRAP = (
    "CREATE FUNCTION trap.{}({}) RETURNS {} LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the trap was called'; END $$"
)
FUNCTIONS = {
    "pg_relation_filenode(oid)": "oid",
    "pg_get_viewdef(oid)": "text",
    "quote_ident(name)": "text",
    "unnest(oid[])": "SETOF oid",
    "unnest(int2[])": "SETOF int2",
    "to_regclass(varchar)": "regclass",
    "pg_is_in_recovery()": "boolean",
    "pg_current_wal_flush_lsn()": "pg_lsn",
    "current_database()": "name",
    "pg_backend_pid()": "integer",
    "format_type(oid, integer)": "text",
    "has_sequence_privilege(oid, text)": "boolean",
    "concat(name, text)": "text",
    "max(int8)": "int8",
}
OPERATED = {"oid": "oid", "name": "name", '"char"': '"char"', "text": "text", "int2": "int2", "int4": "int4"}


@pytest.fixture(params=of("postgresql"))
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


@pytest.fixture
def planted(legacy):
    """A database whose search_path has the traps before everything else."""
    legacy.execute("CREATE TABLE public.t (id serial PRIMARY KEY, v text UNIQUE, at timestamptz)")
    legacy.execute("CREATE VIEW public.v AS SELECT id, v FROM public.t WHERE id > 0")
    legacy.execute("CREATE TABLE public.p (id integer) PARTITION BY RANGE (id)")
    legacy.execute("CREATE TABLE public.p1 PARTITION OF public.p FOR VALUES FROM (0) TO (9)")
    legacy.execute("CREATE TYPE public.mood AS ENUM ('b', 'a')")
    legacy.execute("CREATE TABLE public.m (mood public.mood UNIQUE, moods public.mood[])")
    legacy.execute("CREATE SCHEMA trap")
    for function, result in FUNCTIONS.items():
        name, _, arguments = function.partition("(")
        legacy.execute(TRAP.format(name, arguments.rstrip(")"), result))
    for left, right in OPERATED.items():
        legacy.execute(TRAP.format("operated", f"{left}, {right}", "boolean"))
        for symbol in ("=", "<>", "<", ">", "<=", ">="):
            how = f"FUNCTION = trap.operated, LEFTARG = {left}, RIGHTARG = {right}"
            legacy.execute(f"CREATE OPERATOR trap.{symbol} ({how})")
    role = f"{legacy.url.database}_odd"
    legacy.execute(f"CREATE ROLE {role} LOGIN SUPERUSER")
    legacy.execute(f"ALTER ROLE {role} SET search_path = trap, public, pg_catalog")
    database = legacy.database(username=role)
    yield database
    database.close()
    legacy.execute(f"DROP ROLE {role}")


def test_the_path_leads_to_the_traps(planted):
    with planted._using("looking") as session, pytest.raises(Exception, match="the trap was called"):
        session.connection.execute("SELECT 1 FROM pg_class WHERE oid = 5::oid")


def test_no_question_about_a_table_calls_them(planted):
    table, view, parent, moods = (planted.reflect(name, None) for name in "tvpm")
    assert table.state.distinct == (("id",), ("v",))
    assert view.state.definition is not None
    assert set(parent.state.object) == {"oid", "exchanged"}
    assert moods.state.distinct == (("mood",),)
    assert planted.reflect(None, "SELECT id FROM public.v").state.definition is not None
    assert planted.identity()["timeline"] == "1"
    assert planted.behind(planted.position()) is None
    assert planted.next_id("t", "id").value == 1
    assert all(planted.storage(name) for name in "tvp")
    assert planted.writes("t").elsewhere is None
