"""Numbers of columns: ours, which survive renames as far as it is certain what was renamed."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.databases.mysql.changelog.shape import (
    ShapeColumn,
    TableShape,
    numbered,
    renamed,
    shape_in,
)

NAMES = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=6)


def shape(*names, exact=True):
    columns = tuple(ShapeColumn(name, at + 1, "int") for at, name in enumerate(names))
    return TableShape(columns, last=len(columns), exact=exact)


def numbers(found):
    return {one.name: one.number for one in found.columns}


def after(before, *names):
    return numbers(numbered(before, [ShapeColumn(one, None, "int") for one in names]))


def test_a_column_keeps_its_number_wherever_it_stands():
    assert after(shape("a", "b", "c"), "c", "A", "b") == {"c": 3, "A": 1, "b": 2}


def test_a_new_column_gets_a_number_that_none_ever_had():
    dropped = renamed(shape("a", "b"), {}, ["b"])
    assert after(dropped, "a", "b") == {"a": 1, "b": 3}


def test_renamed_columns_keep_their_numbers_even_if_they_swap_names():
    swapped = renamed(shape("a", "b", "c"), {"a": "b", "b": "a"}, [])
    assert after(swapped, "b", "a", "c") == {"b": 1, "a": 2, "c": 3}


def test_a_rename_that_no_statement_showed_is_found_between_its_neighbours():
    assert after(shape("a", "ssn", "c", exact=False), "a", "social", "c", "d") == {"a": 1, "social": 2, "c": 3, "d": 4}


def test_a_column_of_which_it_is_not_certain_has_no_number():
    assert after(shape("a", "ssn", "c", exact=False), "social", "a", "c") == {"social": None, "a": 1, "c": 3}
    assert after(shape("a", "ssn", "c", exact=False), "c", "x", "a") == {"c": 3, "x": None, "a": 1}


def test_nothing_is_uncertain_where_no_column_is_gone():
    assert after(shape("a", "b", exact=False), "x", "b", "y", "a") == {"x": 3, "b": 2, "y": 4, "a": 1}


@given(NAMES, NAMES, st.booleans())
def test_no_two_columns_share_a_number_and_none_is_used_again(before, now, exact):
    old = shape(*before, exact=exact)
    found = numbered(old, [ShapeColumn(one, None, "int") for one in now])
    known = [one for one in numbers(found).values() if one is not None]
    assert len(known) == len(set(known))
    assert all(one <= found.last for one in known)
    kept = {*before} & {*now}
    assert {name: numbers(found)[name] for name in kept} == {name: numbers(old)[name] for name in kept}
    gone = [one for one in before if one not in now]
    if exact or not gone:
        assert all(numbers(found)[name] > old.last for name in now if name not in kept)
    moved = {one for name, one in numbers(found).items() if name not in kept and one is not None and one <= old.last}
    assert moved <= {numbers(old)[name] for name in gone}


@given(NAMES, st.integers(0, 3), st.booleans(), st.booleans(), st.sampled_from([None, "row_end"]))
def test_a_shape_is_kept_as_json(names, hidden, altered, gone, row_end):
    one = replace(shape(*names), hidden=hidden, altered=altered, gone=gone, row_end=row_end, came=tuple(names[:1]))
    assert shape_in(json.loads(json.dumps(one.as_fact()))) == one
