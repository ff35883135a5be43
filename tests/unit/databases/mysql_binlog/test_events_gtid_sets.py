"""Sets of MySQL's GTIDs and states of MariaDB's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_sets import GtidSet
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_states import GtidState

ONE, TWO = "3e11fa47-71ca-11e1-9e33-c80aa9429562", "ffffffff-71ca-11e1-9e33-c80aa9429562"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", ""),
        (f"{ONE}:1", f"{ONE}:1"),
        (f"{ONE.upper()}:1-3:5:4", f"{ONE}:1-5"),
        (f"{TWO}:7-9,\n{ONE}:1", f"{ONE}:1,{TWO}:7-9"),
        (f"{ONE}:3-5:1, {ONE}:2", f"{ONE}:1-5"),
        (f"{ONE}:1-567:shop_tag:1", f"{ONE}:1-567:shop_tag:1"),
        (f"{ONE}:_B:9:a:2-3:1,{ONE}:8", f"{ONE}:8:_b:9:a:1-3"),
        (f"{ONE}:a:1", f"{ONE}:a:1"),
        (f"{ONE}:9223372036854775807", f"{ONE}:9223372036854775807"),
    ],
)
def test_texts(text, written):
    assert str(GtidSet.of(text)) == written
    assert GtidSet.of(str(GtidSet.of(text))) == GtidSet.of(text)


@pytest.mark.parametrize(
    "text",
    [
        ONE,
        "0-1-7",
        f"{ONE}:0",
        f"{ONE}:5-4",
        f"{ONE}:-1",
        f"{ONE}:1-2-3",
        f"{ONE}:9a:1",
        f"{ONE}:{'a' * 33}:1",
        f"{ONE}:9223372036854775808",
        f"{ONE}:1;{TWO}:2",
        "12:3",
    ],
)
def test_no_sets(text):
    with pytest.raises(ValueError, match=r"GTID|tag|numbers"):
        GtidSet.of(text)


def test_names():
    found = GtidSet.of(f"{ONE}:1-3")
    for name in (f"{ONE}:4", f"{ONE}:tag:1", f"{TWO}:9"):
        assert name not in found
        found.add_name(name)
        assert name in found
    assert str(found) == f"{ONE}:1-4:tag:1,{TWO}:9"
    assert f"{ONE}:2-4" in found
    assert f"{ONE}:4-5" not in found
    assert f"{ONE}:other:1" not in found


def test_what_another_lacks():
    ours, theirs = GtidSet.of(f"{ONE}:1-10:tag:1-2,{TWO}:3"), GtidSet.of(f"{ONE}:2-4:6:9-20:tag:1")
    assert str(ours.missing(theirs)) == f"{ONE}:1:5:7-8:tag:2,{TWO}:3"
    assert str(theirs.missing(ours)) == f"{ONE}:11-20"
    assert not GtidSet.of("").missing(theirs)
    assert GtidSet.of(str(ours)) <= ours
    assert not ours <= theirs


def test_copies_are_their_own():
    ours = GtidSet.of(f"{ONE}:1")
    copy = ours.copy()
    copy.add_name(f"{ONE}:2")
    assert (str(ours), str(copy), bool(ours), bool(GtidSet())) == (f"{ONE}:1", f"{ONE}:1-2", True, False)


NUMBERS = st.sets(st.integers(1, 40), max_size=25)


def of(numbers, order=None):
    found = GtidSet()
    for number in order or sorted(numbers):
        found.add(ONE, "", number, number)
    return found


@given(NUMBERS, NUMBERS, st.data())
def test_as_sets_of_numbers(one, two, data):
    left, right = of(one, data.draw(st.permutations(sorted(one)))), of(two)
    assert str(left) == str(of(one))
    assert left.missing(right) == of(one - two)
    assert (left <= right) == (one <= two)
    both = left.copy()
    both.update(right)
    assert both == of(one | two)
    assert [number for _, _, first, last in both for number in range(first, last + 1)] == sorted(one | two)


@pytest.mark.parametrize(
    ("text", "written", "position"),
    [
        ("", "", ""),
        ("0-1-7", "0-1-7", "0-1-7"),
        ("1-1-3, 0-2-9,0-1-7", "0-2-9,0-1-7,1-1-3", "0-2-9,1-1-3"),
        ("0-1-7,0-1-5", "0-1-7", "0-1-7"),
        ("0-4294967295-18446744073709551615", "0-4294967295-18446744073709551615", "0-4294967295-18446744073709551615"),
    ],
)
def test_states(text, written, position):
    found = GtidState.of(text)
    assert (str(found), found.position()) == (written, position)
    assert GtidState.of(written) == found == found.copy()


@pytest.mark.parametrize("text", ["0-1", f"{ONE}:1", "0-1-7-8", "a-b-c", "0-1-7;1-1-1"])
def test_no_states(text):
    with pytest.raises(ValueError, match="no GTID of MariaDB"):
        GtidState.of(text)


def test_what_a_state_has_executed():
    found = GtidState.of("0-1-7,1-1-3")
    found.add_name("0-2-8")
    names = ("0-1-7", "0-3-8", "0-1-8", "0-3-9", "2-1-1")
    assert [name in found for name in names] == [True, True, False, False, False]
    assert str(found) == "0-1-7,0-2-8,1-1-3"
    found.add_name("0-1-9")
    assert (str(found), found.position()) == ("0-2-8,0-1-9,1-1-3", "0-1-9,1-1-3")
    assert str(found.missing(GtidState.of("0-5-8,1-1-9"))) == "0-1-9"
    assert not found.missing(found)
    assert str(found.missing(GtidState())) == str(found)


def test_a_server_that_was_behind_when_it_became_the_writer():
    """Its own numbers are higher than those of the former writer that it lacks."""
    ours, theirs = GtidState.of("0-1-7"), GtidState.of("0-1-5,0-2-8")
    assert str(ours.missing(theirs)) == "0-1-7"
    assert "0-1-6" not in theirs
    assert not ours.missing(GtidState.of("0-1-7,0-2-8"))
    assert not ours.missing(GtidState.of("0-2-8"))
    assert not GtidState.of("0-2-3,0-1-7").missing(ours)
