"""What lies on the search_path is not called by what we write around tables, and the order is the column's own."""

from __future__ import annotations

import psycopg
import pytest
import sqlalchemy as sa

from tests.support.engines import of
from tests.support.legacy import reused_database, rows

HOLDER = {"dag": "d", "task": "t", "run": "r1", "map_index": -1, "try": 1, "host": "worker-1", "pid": 4711}
FUNCTIONS = {"pg_column_size": "integer", "octet_length": "integer", "concat": "text"}
TRAP = "CREATE FUNCTION trap({}) RETURNS {} LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the trap was called'; END $$"


@pytest.fixture(params=of("postgresql", also=("postgresql-15",)))
def legacy(request):
    with reused_database(request, request.param) as found:
        yield found


def set_traps(legacy, *types: str) -> None:
    """Plant operators and functions that are nearer to these types than those of the server."""
    for type_ in types:
        legacy.execute(TRAP.format(f"a {type_}, b {type_}", "boolean"))
        for symbol in ("<", "<=", "=", ">=", ">", "<>"):
            legacy.execute(f"CREATE OPERATOR public.{symbol} (FUNCTION = trap, LEFTARG = {type_}, RIGHTARG = {type_})")
        for function, result in FUNCTIONS.items():
            legacy.execute(TRAP.replace("trap(", f"public.{function}(").format(f"a {type_}", result))
    legacy.execute(TRAP.replace("trap(", "public.count(").format("", "bigint"))


def words(legacy, declared: str, values, **options) -> list[str]:
    """What two runs find by a watermark of this type, in their order."""
    legacy.execute(f"CREATE TABLE t (word {declared} NOT NULL, id integer NOT NULL, body text, PRIMARY KEY (word, id))")
    for number, value in enumerate(values):
        legacy.execute(f"INSERT INTO t VALUES ('{value}', {number % 2}, repeat('x', 100000))")
    options = {"watermark_columns": ("word",), "batch_rows": 2, **options}
    first, at = rows(legacy, max_rows=3, **options)
    second, _ = rows(legacy, at, **options)
    return [row["word"] for row in first + second]


@pytest.mark.parametrize(
    ("declared", "traps"),
    [
        ("varchar", ("varchar",)),
        ("varchar(20)", ("varchar", "text")),
        ("char(5)", ("varchar",)),
        ("name", ("varchar",)),
    ],
)
def test_planted_operators_and_functions_are_not_called(legacy, declared, traps):
    set_traps(legacy, *(trap for trap in traps if trap != "text"))
    assert [word.strip() for word in words(legacy, declared, "ebadc")] == list("abcde")


def test_planted_operators_of_a_domain_are_not_called(legacy):
    legacy.execute("CREATE DOMAIN word AS varchar(20) CHECK (VALUE <> '')")
    set_traps(legacy, "word")
    assert words(legacy, "word", "ebadc") == list("abcde")


def test_planted_operators_of_an_enum_are_not_called(legacy):
    legacy.execute("CREATE TYPE mood AS ENUM ('e', 'd', 'c', 'b', 'a')")
    set_traps(legacy, "mood")
    assert words(legacy, "mood", "abcde") == list("edcba")


def test_citext_is_compared_as_it_is_ordered(legacy):
    legacy.execute("CREATE EXTENSION citext SCHEMA public")
    set_traps(legacy, "varchar")
    assert words(legacy, "citext", ["B", "a", "C", "d", "E"]) == ["a", "B", "C", "d", "E"]


def test_a_domain_over_citext_is_compared_as_it_is_ordered(legacy):
    legacy.execute("CREATE EXTENSION citext SCHEMA public")
    legacy.execute("CREATE DOMAIN email AS citext")
    set_traps(legacy, "email")
    assert words(legacy, "email", ["B", "a", "C", "d", "E"]) == ["a", "B", "C", "d", "E"]


def test_an_extension_beside_the_path_is_found(legacy):
    legacy.execute("CREATE SCHEMA extensions")
    legacy.execute("CREATE EXTENSION ltree SCHEMA extensions")
    paths = ["top", "top.a", "top.a_b", "top.b", "top.a.c"]
    assert words(legacy, "extensions.ltree", paths) == ["top", "top.a", "top.a.c", "top.a_b", "top.b"]


def test_rows_are_deleted_by_operators_of_their_own(legacy):
    legacy.execute("CREATE EXTENSION citext SCHEMA public")
    legacy.execute("CREATE TABLE t (id integer, name citext, code varchar(9), PRIMARY KEY (name, code))")
    legacy.execute("INSERT INTO t VALUES (1, 'A', 'x\"\\'), (2, 'b', 'y'), (3, 'C', 'z')")
    set_traps(legacy, "varchar")
    database = legacy.database()
    database.reflect("t", None)
    name, code, table = sa.column("name"), sa.column("code"), sa.table("t")
    with database.lock("s", HOLDER) as lease:
        conditions = [
            database.among([name], [["a"], ["B"]]),
            database.among([name, code], [["c", "z"], ["a", 'x"\\'], ["b", "z"]]),
            database.among([code], [['x"\\']]),
            sa.not_(database.among([name], [["a"]])),
            name.between("A", "B"),
            database.equal(name, "C"),
        ]
        counts = [lease.execute([sa.select(sa.func.count()).select_from(table).where(one)]) for one in conditions]
        assert [int(answer.rows[0][0]) for [answer] in counts] == [2, 2, 1, 2, 2, 1]
        [gone] = lease.execute([sa.delete(table).where(database.among([name, code], [["a", 'x"\\']]))])
    assert gone.number == 1
    database.close()


def test_a_mixed_row_comparison_uses_the_index(legacy):
    legacy.execute("CREATE EXTENSION citext SCHEMA public")
    legacy.execute("CREATE TABLE t (name citext, id integer, PRIMARY KEY (name, id))")
    legacy.execute("INSERT INTO t SELECT 'n' || n % 1000, n FROM generate_series(1, 20000) n")
    legacy.execute("ANALYZE t")
    database = legacy.database()
    database.reflect("t", None)
    columns = [sa.column("name"), sa.column("id")]
    query = sa.select(*columns).select_from(sa.table("t")).where(database.beyond(columns, ["n5", "100"]))
    text, parameters = database._compiled(query.order_by(*columns).limit(10))
    with psycopg.RawCursor(legacy.connection) as cursor:
        plan = str(cursor.execute(f"EXPLAIN {text}".encode(), parameters).fetchall())
    assert "Index Only Scan using t_pkey" in plan
    assert "Index Cond: (name >= 'n5'::citext)" in plan
    database.close()
