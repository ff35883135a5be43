"""Names that are cut keep their length and stay apart, and those that were cut once are found again."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core import names


def test_a_digest_is_the_start_of_the_hash():
    assert names.digest("crm/orders") == names.digest("crm/orders", 64)
    assert names.digest("crm/orders", 16) == names.digest("crm/orders")[:16] == "afcae01c0bc62a03"


def test_what_fits_stays_as_it_is():
    assert names.cut("x" * 59, 59) == "x" * 59
    assert names.cut_bytes("\u00e4" * 75, 150) == "\u00e4" * 75


def test_what_is_too_long_is_cut_to_the_width_and_keeps_its_hash():
    assert names.cut("x" * 60, 59) == "x" * 50 + "~42f2d973"
    assert names.cut("x" * 251, 250, digits=16) == "x" * 233 + "~90d738c31c5ee124"


@pytest.mark.parametrize("character", ["x", "\u00e4", "\u20ac", "\U0001f600"])
def test_bytes_are_counted_and_no_character_is_cut_in_two(character):
    found = names.cut_bytes(character * 151, 150)
    start, _, digest = found.rpartition("~")
    assert start == character * (141 // len(character.encode()))
    assert digest == names.digest(character * 151, 8)
    assert len(found.encode()) <= 150


def test_names_that_differ_only_behind_the_cut_stay_apart():
    assert names.cut("x" * 300 + "1", 250) != names.cut("x" * 300 + "2", 250)
    assert names.cut_bytes("x" * 300 + "1", 250) != names.cut_bytes("x" * 300 + "2", 250)
