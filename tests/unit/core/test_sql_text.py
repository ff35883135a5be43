"""What a SQL text tells without a database."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.sql_text import normalized, one_select

ONE = {
    "plain": ("SELECT 1", "SELECT 1"),
    "semicolon": ("SELECT 1 ;", "SELECT 1"),
    "semicolons and comments": ("-- a;\n/* b; */ SELECT 1 ; -- c';\n ; /* d */", "SELECT 1"),
    "comment inside": ("SELECT /* ; */ 1 -- ;\n + 2", "SELECT /* ; */ 1 -- ;\n + 2"),
    "comment in a comment": ("SELECT /* a /* ; */ b; */ 1", "SELECT /* a /* ; */ b; */ 1"),
    "comment that seems to open another": ("SELECT /* /* ; */ 1", "SELECT /* /* ; */ 1"),
    "quoted semicolon": ("SELECT ';', \"a;b\", `c;d`", "SELECT ';', \"a;b\", `c;d`"),
    "doubled quotes": ("SELECT 'it''s; ', \"a\"\";\"", "SELECT 'it''s; ', \"a\"\";\""),
    "backslash at the end of a text": (r"SELECT 'C:\' ;", r"SELECT 'C:\'"),
    "backslash before a quote": (r"SELECT 'it\'s; 1' ;", r"SELECT 'it\'s; 1'"),
    "escaped text": (r"SELECT E'it\'s; 1' ;", r"SELECT E'it\'s; 1'"),
    "dollar quotes": ("SELECT $$a;'b$$, $x$ $$;' $x$;", "SELECT $$a;'b$$, $x$ $$;' $x$"),
    "square brackets": ("SELECT [semi;colon] FROM t;", "SELECT [semi;colon] FROM t"),
    "array": ("SELECT ARRAY['a;]', ';'];", "SELECT ARRAY['a;]', ';']"),
    "common table expression": ("with a AS (SELECT 1) SELECT * FROM a", "with a AS (SELECT 1) SELECT * FROM a"),
    "values": ("VALUES (1), (2)", "VALUES (1), (2)"),
    "table": ("TABLE orders", "TABLE orders"),
    "brackets": ("((SELECT 1) UNION (SELECT 2))", "((SELECT 1) UNION (SELECT 2))"),
    "bracket in a text": ("SELECT ')'", "SELECT ')'"),
    "unterminated comment": ("SELECT 1 /* ;", "SELECT 1"),
}


@pytest.mark.parametrize("name", ONE)
def test_one_select_loses_only_what_stands_around_it(name):
    text, statement = ONE[name]
    assert one_select(text) == statement


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "holds no statement"),
        (" ;\n; -- nothing", "holds no statement"),
        ("SELECT 1; SELECT 2", "holds 2 statements"),
        ("SELECT 1; -- one\nDROP TABLE t; SELECT 2;", "holds 3 statements"),
        ("DELETE FROM t RETURNING *", "begins with DELETE, which is no SELECT"),
        ("-- SELECT\n insert into t VALUES (1) RETURNING *", "begins with INSERT"),
        ("UPDATE t SET a = 1", "begins with UPDATE"),
        ("EXPLAIN SELECT 1", "begins with EXPLAIN"),
        ("show all", "begins with SHOW"),
        ("'secret'", "begins with a sign"),
        ("()", "begins with a sign"),
        ("SELECT 1) AS a, (SELECT 2", "closes a bracket that it did not open"),
        ("SELECT (1", "leaves a bracket open"),
    ],
)
def test_anything_else_is_refused_with_the_reason(text, reason):
    with pytest.raises(ConfigurationError, match=r"^sql= .*; nothing was read or executed. Give one SELECT$") as error:
        one_select(text)
    assert reason in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "other",
    [
        "SELECT  a,b\nFROM t",
        "/* x */ SELECT a , b -- y\nFROM t;",
        "SELECT a, b FROM t ; ;",
    ],
)
def test_blanks_comments_and_last_semicolons_make_no_other_query(other):
    assert normalized(other) == normalized("SELECT a, b FROM t")


@pytest.mark.parametrize(
    "other", ["SELECT a, c FROM t", "SELECT a, b FROM T", "SELECT a, b FROM t WHERE c = ' x'", "SELECT ab FROM t"]
)
def test_everything_else_makes_another_query(other):
    assert normalized(other) not in (normalized("SELECT a, b FROM t"), normalized("SELECT a, b FROM t WHERE c = 'x'"))


def test_a_blank_in_a_text_counts():
    assert normalized("SELECT 'a  b'") != normalized("SELECT 'a b'")


def test_a_template_is_read_like_any_text():
    written = "SELECT a FROM t WHERE d > '{{ ds }}' {% if params.x %} AND b = \"{{ params.x }}\" {% endif %}"
    assert normalized(written) == normalized(written.replace(" AND", "\n   AND"))
