"""Statements of any form: read without a fault, and alike whatever stands between their words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.databases.mysql.changelog.statements import ANY, UNKNOWN, found_in

KEYWORDS = """
ALTER TABLE CREATE DROP TRUNCATE RENAME INSERT INTO REPLACE UPDATE DELETE FROM USING SET WHERE JOIN ON WITH AS SELECT
LOAD DATA TEMPORARY IF EXISTS NOT OR PARTITION EXCHANGE CONVERT COLUMN CHANGE TO ADD INDEX UNIQUE STATEMENT FOR ANALYZE
"""
OTHERS = ["orders", "`or``ders`", "shop", *".,()*=;1?", "@v", "'it\\'s'", '"a"', "/* x */", "-- y\n"]
WORDS = st.sampled_from([*KEYWORDS.split(), *OTHERS])
BLANKS = st.sampled_from([" ", "\n", "\t ", " /* a */ ", " -- b\n", " # c\n", "/**/ "])
STATEMENTS = [
    ["TRUNCATE", "TABLE", "shop.orders"],
    ["DROP", "TABLE", "IF", "EXISTS", "orders", ",", "`shop`.`items`"],
    ["RENAME", "TABLE", "orders", "TO", "former", ",", "stage", "TO", "orders"],
    ["ALTER", "TABLE", "orders", "CHANGE", "a", "b", "int", "(", "5", ")", ",", "DROP", "COLUMN", "c", ",", "ADD", "d"],
    ["CREATE", "OR", "REPLACE", "TABLE", "orders", "(", "id", "int", ")"],
    ["UPDATE", "orders", "o", "JOIN", "items", "i", "ON", "o.id", "=", "i.id", "SET", "o.v", "=", "'x,y'"],
    ["DELETE", "o", "FROM", "orders", "AS", "o", ",", "items", "WHERE", "o.id", "=", "1"],
    ["INSERT", "INTO", "orders", "SELECT", "*", "FROM", "items"],
    ["WITH", "x", "AS", "(", "SELECT", "1", ")", "DELETE", "FROM", "orders", "WHERE", "1"],
]


@given(st.lists(WORDS, max_size=12), st.booleans())
def test_any_words_are_read(words, backslashes):
    found_in(" ".join(words), backslashes=backslashes)


@given(st.text(max_size=60), st.booleans())
def test_any_text_is_read(text, backslashes):
    found_in(text, backslashes=backslashes)


@pytest.mark.parametrize("words", STATEMENTS, ids=lambda words: " ".join(words[:3]))
@given(data=st.data())
def test_what_stands_between_words_and_their_case_mean_nothing(words, data):
    blanks = data.draw(st.lists(BLANKS, min_size=len(words), max_size=len(words)))
    plain = [
        one if "`" in one or "'" in one or not one.isupper() else data.draw(st.sampled_from([one, one.lower()]))
        for one in words
    ]
    text = "".join(word + blank for word, blank in zip(plain, blanks, strict=True))
    assert found_in(f"{data.draw(BLANKS)}{text}") == found_in(" ".join(words))


@given(st.sampled_from(["orders", "`orders`", "shop.orders", "`shop`.`orders`"]), st.lists(WORDS, max_size=6))
def test_a_table_that_an_unknown_statement_names_may_have_changed(name, words):
    found = found_in(f"MERGE {' '.join(words)} ) {name}")
    if "'it\\'s'" in words or '"a"' in words or any(one.startswith(("-", "/")) for one in words) or "." in words:
        return  # the name may be another one there
    assert any(one.kind in (ANY, UNKNOWN) and one.name.name == "orders" for one in found)
