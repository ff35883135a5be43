"""Names in statements of MySQL and MariaDB, and definitions without their select lists."""

import pytest

from airflow_legacy_events.databases.mysql.tokens import called, tables, tokens, without_select_lists

TABLES = {
    "SELECT a, b FROM t WHERE c IN (SELECT d FROM u)": {"t", "u"},
    "SELECT a FROM `o``dd`.`t 1` AS x, u y JOIN (v CROSS JOIN w) ON x.a = y.b": {"o`dd.t 1", "u", "v", "w"},
    "SELECT EXTRACT(year FROM x.y), TRIM(' ' FROM z) FROM t LEFT JOIN db . u USING (k)": {"t", "db.u"},
    "WITH c AS (SELECT 1 FROM t) SELECT (SELECT max(a) FROM u) FROM c": {"t", "u", "c"},
    "SELECT 'FROM x', \"it's\" FROM t -- FROM y\n# FROM z\n/* FROM q */ /*! JOIN u */ /*M!100100 JOIN v */": {*"tuv"},
    "SELECT 1 FROM t STRAIGHT_JOIN u ON t.a = f(u.b) UNION ALL TABLE v": {"t", "u", "v"},
    "SELECT doc.x FROM t, JSON_TABLE(t.doc, '$' COLUMNS (x int PATH '$.x')) AS doc": {"t"},
    r"SELECT 'a\' FROM x' FROM t": {"t"},
    'select * from "t"': {"t"},
    "SELECT a FROM ((t JOIN u))": {"t", "u"},
    "": set(),
}


@pytest.mark.parametrize("sql", TABLES)
def test_every_table_is_named(sql):
    assert {".".join(filter(None, name)) for name in tables(tokens(sql))} == TABLES[sql]


def test_calls_are_told_from_words_of_the_language():
    found = called(tokens("SELECT f (a), `db`.`g`(b), COUNT(*), max(h.i) FROM t WHERE a IN (1) AND (b > j(2))"))
    assert [tuple(name) for name in found] == [(None, "f"), ("db", "g"), (None, "j")]


def same(one: str, other: str) -> bool:
    return without_select_lists(tokens(one)) == without_select_lists(tokens(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("select a from t where b > 0", "select a, (select 1 from u) AS c from t where b > 0"),
        ("select `a` from `t`", 'SELECT  DISTINCT "b"\nFROM "t"'),
        ("(select a from t) union (select b from u)", "(select a, c from t) union (select b, d from u)"),
        ("select 1 AS `a` union all select a from t", "select 1 AS `a`, 2 AS `b` union all select a, b from t"),
    ],
)
def test_what_is_selected_is_no_part_of_a_definition(one, other):
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("select a from t where b > 0", "select a from t where b > -1"),
        ("select a from t", "select a from u"),
        ("select a from `from`", "select a from t"),
        ("select a from (select b from t where c) q", "select a from (select b from t) q"),
        ("with c as (select 1 from t) select a from c", "with c as (select 1 from u) select a from c"),
        ("select a from t where b = 'x'", "select a from t where b = x"),
        ("select a from t union select b from u where c", "select a from t union select b from u where d"),
    ],
)
def test_everything_else_is(one, other):
    assert not same(one, other)
