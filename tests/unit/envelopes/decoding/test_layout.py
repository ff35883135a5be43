"""Layouts: what fits them, and which members are given as plain texts."""

from __future__ import annotations

import msgspec
import pytest

from airflow_legacy_events.envelopes.decoding.fast.layout import Layout
from airflow_legacy_events.envelopes.decoding.fast.plain import MOST_MISSES

USUAL = [b'{"id":1,"text":"a","more":"x"}', '{"id":2,"text":"ä","more":null}'.encode()]


def layout():
    return Layout(["id", "text", "more"], lambda name: name.startswith("ignored"), ["text", "more"])


def learned():
    made = layout()
    made.columns(USUAL)
    return made


def shown(fitting):
    """Positions and values, those of plain members as texts."""
    written = [
        [one if at in fitting.plain or one is msgspec.UNSET else bytes(one) for one in column]
        for at, column in enumerate(fitting.columns)
    ]
    return [*fitting.positions], written


def test_values_are_as_they_were_written_until_the_layout_has_learned():
    made = layout()
    assert shown(made.columns(USUAL)) == (
        [0, 1],
        [[b"1", b"2"], [b'"a"', '"ä"'.encode()], [b'"x"', b"null"]],
    )
    found = made.columns(USUAL)
    assert found.plain == {1, 2}
    assert shown(found) == ([0, 1], [[b"1", b"2"], ["a", "ä"], ["x", None]])


def test_a_member_that_is_absent_is_unset_and_named():
    found = learned().columns([b'{"id":1,"more":"x"}', b'{"text":null,"id":2,"more":"y"}'])
    assert (found.plain, found.lacking) == ({1, 2}, {1})
    assert shown(found)[1] == [[b"1", b"2"], [msgspec.UNSET, None], ["x", "y"]]


@pytest.mark.parametrize("odd", [b'{"id":3,"text":"\\n","more":"x"}', b'{"id":3,"text":7,"more":"x"}'])
def test_a_member_that_holds_something_else_once_is_given_as_written_from_then_on(odd):
    made = learned()
    assert shown(made.columns([odd]))[0] == [0]
    found = made.columns(USUAL)
    assert found.plain == {2}
    assert shown(found)[1][1] == [b'"a"', '"ä"'.encode()]


@pytest.mark.parametrize(
    "odd",
    [
        b'{"id":3,"text":"a","text":"b"}',
        b'{"id":3,"text":"a","text":null,"more":"x"}',
        b'{"id":"\xff","text":"a","more":"x"}',
        b'{"id":3,"text":"\xff"}',
        b'{"id":3',
        b'{"id":3}{"id":4}',
    ],
)
def test_what_is_not_as_it_seems_does_not_fit_and_the_others_do(odd):
    for made in (layout(), learned()):
        assert [*made.columns([USUAL[0], odd, USUAL[1]]).positions] == [0, 2]


def test_a_member_that_is_left_out_has_to_be_utf_8_too():
    for made in (layout(), learned()):
        assert [*made.columns([b'{"id":1,"ignored":"\xff"}', b'{"id":2,"ignored":"x"}']).positions] == [1]


def test_spaces_do_not_matter():
    found = learned().columns([b'{"id": 1, "text": "a"}', USUAL[0]])
    assert shown(found)[0] == [0, 1]


def test_a_topic_of_odd_messages_is_decoded_once_in_the_end():
    made = learned()
    for _ in range(MOST_MISSES - 1):
        made.columns([*USUAL, b"{"])
    assert made.columns(USUAL).plain == {1, 2}
    for _ in range(MOST_MISSES):
        made.columns([*USUAL, b"{"])
    assert made.columns(USUAL).plain == frozenset()
