"""What a SQL text tells without a database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.sql_dialects import MYSQL, POSTGRES, SQLITE, UNKNOWN
from airflow_legacy_events.core.sql_first_rule import first_fingerprint
from airflow_legacy_events.core.sql_text import fingerprint, one_select

DIALECTS = {
    "postgres": POSTGRES,
    "mysql": replace(MYSQL, backslash=("'\"",)),
    "mysql ansi": replace(MYSQL, backslash=("'",)),
    "mysql no backslash": replace(MYSQL, backslash=("",)),
    "sqlite": SQLITE,
    "unknown": UNKNOWN,
}
ALL = "postgres, mysql, mysql ansi, mysql no backslash, sqlite, unknown"
MYSQLS = "mysql, mysql ansi, mysql no backslash"
# A text, its statement, and for whom it is one.
ONE = {
    "plain": ("SELECT 1", "", ALL),
    "semicolon": ("SELECT 1 ;", "SELECT 1", ALL),
    "semicolons and comments": ("-- a;\n/* b; */ SELECT 1 ; -- c';\n ; /* d */", "SELECT 1", ALL),
    "comment inside": ("SELECT /* ; */ 1 -- ;\n + 2", "", ALL),
    "comment in a comment": ("SELECT /* a /* ; */ b; */ 1", "", "postgres"),
    "comment that seems to open another": ("SELECT /* a/*.csv */ 1", "", f"{MYSQLS}, sqlite, unknown"),
    "comment of a hash": ("SELECT 1 # ; it's\n + 2", "", MYSQLS),
    "minus minus": ("SELECT 1--1", "", f"{MYSQLS}, unknown"),
    "comment at the end": ("SELECT 1--1", "SELECT 1", "postgres, sqlite"),
    "comment right behind minus signs": ("SELECT 1 --it's\n + 2", "", "postgres, sqlite, unknown"),
    "comment that ends with the line": ("SELECT 1 -- a\r\n + 2", "", ALL),
    "comment that ends with a carriage return": ("SELECT 1 -- a\r; DELETE FROM t", "SELECT 1", f"{MYSQLS}, sqlite"),
    "hint": ("SELECT /*+ INDEX(t) */ 1", "", ALL),
    "comment that is executed": ("SELECT 1 /*!50701 + 2 */", "", f"{MYSQLS}, unknown"),
    "comment that is none": ("SELECT 1 /*!50701 + 2 */", "SELECT 1", "postgres, sqlite"),
    "comment in what is executed": (
        "SELECT 1 /*! /* ) */ + 2 */ ;",
        "SELECT 1 /*! /* ) */ + 2 */",
        f"{MYSQLS}, sqlite, unknown",
    ),
    "comment in what is none": ("SELECT 1 /*! /* ) */ + 2 */ ;", "SELECT 1", "postgres"),
    "semicolon in what is executed": ("SELECT 1 /*! ; drop table t */", "SELECT 1", "postgres, sqlite"),
    "brackets in what is executed": ("SELECT 1 /*!50701 ) x union (select 2 */", "SELECT 1", "postgres, sqlite"),
    "half a statement in what is executed": ("/*! delete */ SELECT 1", "SELECT 1", "postgres, sqlite"),
    "executed comment that is left open": ("SELECT 1 /*! + 2", "", ""),
    "quoted semicolon": ("SELECT ';', \"a;b\"", "", ALL),
    "backtick": ("SELECT `c;d`", "", f"{MYSQLS}, sqlite"),
    "doubled quotes": ("SELECT 'it''s; ', \"a\"\";\"", "", ALL),
    "backslash at the end of a text": (
        r"SELECT 'C:\' ;",
        r"SELECT 'C:\'",
        "postgres, mysql no backslash, sqlite, unknown",
    ),
    "backslash before a quote": (r"SELECT 'it\'s; 1' ;", r"SELECT 'it\'s; 1'", "mysql, mysql ansi"),
    "backslash before a double quote": (r'SELECT "a\";" ;', r'SELECT "a\";"', "mysql"),
    "backslash in a text": (r"SELECT '\d+', 'it''s'", "", ALL),
    "escaped text": (r"SELECT E'it\'s; 1' ;", r"SELECT E'it\'s; 1'", "postgres, mysql, mysql ansi"),
    "escaped text that goes on": (
        "SELECT E'a'\n -- x\n 'b\\'; 1' ;",
        "SELECT E'a'\n -- x\n 'b\\'; 1'",
        "postgres, mysql, mysql ansi",
    ),
    "what seems to go on": ("SELECT E'a'\n 'b\\' || '; drop table t; --'", "", "sqlite, mysql no backslash"),
    "dollar quotes": ("SELECT $$a;'b$$, $x$ $$;' $x$;", "SELECT $$a;'b$$, $x$ $$;' $x$", "postgres"),
    "dollars in names": ("SELECT rdb$x, a$$b, 'c$$' FROM t", "", ALL),
    "square brackets": ("SELECT [semi;colon] FROM t", "", "sqlite"),
    "array": ("SELECT ARRAY['a;]', ';']", "", f"postgres, {MYSQLS}"),
    "place in an array": ("SELECT a[1], b['x'] FROM t", "", ALL),
    "common table expression": ("with a AS (SELECT 1) SELECT * FROM a", "", ALL),
    "values": ("VALUES (1), (2)", "", ALL),
    "table": ("TABLE orders", "", ALL),
    "brackets": ("((SELECT 1) UNION (SELECT 2))", "", ALL),
    "bracket in a text": ("SELECT ')'", "", ALL),
    "unterminated comment": ("SELECT 1 /* ;", "", ""),
    "unterminated text": ("SELECT 'a", "", ""),
    "end of a C text": ("SELECT 1 \0 + 2", "", ""),
    "statement behind a text": (r"SELECT '\' FROM t) x; commit; drop table t; --'", "", "mysql, mysql ansi"),
    "statement behind a number": ("SELECT 1$$ ' $$; drop table t; --'", "", f"{MYSQLS}, sqlite"),
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", ONE)
def test_one_select_in_every_reading_loses_only_what_stands_around_it(name, dialect):
    text = ONE[name][0]
    same = [one for one in ONE.values() if one[0] == text]
    allowed = [statement or text for _, statement, databases in same if dialect in databases.split(", ")]
    if allowed:
        assert [one_select(text, DIALECTS[dialect])] == allowed
    else:
        with pytest.raises(ConfigurationError, match=r"^sql= .*; nothing was read or executed\. .*Give one SELECT$"):
            one_select(text, DIALECTS[dialect])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "holds no statement"),
        (" ;\n; -- nothing", "holds no statement"),
        ("SELECT 1; SELECT 2", "holds 2 statements"),
        ("SELECT 1; -- one\nDROP TABLE t; SELECT 2;", "holds 3 statements"),
        ("DELETE FROM t RETURNING *", "begins with DELETE, which is not a SELECT"),
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


def of(sql, dialect="mysql"):
    return fingerprint(sql, DIALECTS[dialect])


@pytest.mark.parametrize(
    "other",
    [
        "SELECT  a,b\nFROM t",
        "/* x */ SELECT a , b -- y\nFROM t;",
        "SELECT a, b FROM t ; ;",
    ],
)
def test_blanks_comments_and_last_semicolons_make_no_other_query(other):
    assert of(other) == of("SELECT a, b FROM t")


@pytest.mark.parametrize(
    "other", ["SELECT a, c FROM t", "SELECT a, b FROM T", "SELECT a, b FROM t WHERE c = ' x'", "SELECT ab FROM t"]
)
def test_everything_else_makes_another_query(other):
    assert of(other) not in (of("SELECT a, b FROM t"), of("SELECT a, b FROM t WHERE c = 'x'"))


def test_a_blank_in_a_text_counts():
    assert of("SELECT 'a  b'") != of("SELECT 'a b'")


def test_a_template_is_read_like_any_text():
    written = "SELECT a FROM t WHERE d > '{{ ds }}' {% if params.x %} AND b = \"{{ params.x }}\" {% endif %}"
    assert of(written) == of(written.replace(" AND", "\n   AND"))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_executed_in_a_comment_is_part_of_the_query_where_it_may_be(dialect):
    executed = (
        "SELECT id FROM t /*! WHERE public = 1 */",
        "SELECT id FROM t /*M! WHERE public = 2 */",
        "SELECT id FROM t",
    )
    differ = len({of(one, dialect) for one in executed})
    assert differ == (1 if dialect in ("postgres", "sqlite") else 3)


@pytest.mark.parametrize("dialect", ["mysql", "unknown"])
def test_a_comment_that_may_be_a_text_is_part_of_the_query(dialect):
    assert of(r"SELECT 'a\' /* b */ c'", dialect) != of(r"SELECT 'a\' /* d */ c'", dialect)


@pytest.mark.parametrize("dialect", ["postgres", "unknown"])
def test_what_follows_a_carriage_return_is_no_comment_everywhere(dialect):
    assert of("SELECT id FROM t -- a\r WHERE b = 1", dialect) != of("SELECT id FROM t -- a\r WHERE b = 2", dialect)


def test_a_fingerprint_depends_on_no_setting_of_a_session():
    text = r"SELECT 'a\' FROM t WHERE b = 'it''s' -- c"
    assert of(text, "mysql") == of(text, "mysql ansi") == of(text, "mysql no backslash")


def test_no_fingerprint_is_taken_for_one_of_another_rule():
    assert of("SELECT 1").startswith("2:")
    assert ":" not in first_fingerprint("SELECT 1")
