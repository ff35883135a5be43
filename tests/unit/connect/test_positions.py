"""Positions of connectors: which offset counts, where it lies, and what of a barrier is kept."""

import pytest

from airflow_legacy_events.connect.positions import (
    furthest_lsn,
    in_snapshot,
    place_of,
    present_offset,
    same_log,
    sink_offsets,
)
from airflow_legacy_events.connect.target import Target
from airflow_legacy_events.core.errors import ConnectError
from airflow_legacy_events.core.ports import LogPlace, Partition

POSTGRES = {"lsn": 383533816, "lsn_proc": 383533816, "lsn_commit": 383533900, "txId": 744, "ts_usec": 1}
MARIADB = {"ts_sec": 1, "file": "mbin.000001", "pos": 4208, "gtids": "0-1-13", "row": 1, "server_id": 1, "event": 2}


def binlog(file, position):
    return place_of({"file": file, "pos": position})


def test_the_offset_of_the_present_prefix_counts_alone():
    offsets = [
        {"partition": {"server": "former"}, "offset": POSTGRES},
        {"partition": {"server": "crm"}, "offset": MARIADB},
        {"partition": {"server": "erased"}, "offset": None},
    ]
    found = [present_offset(offsets, {"topic.prefix": one}) for one in ("crm", "erased", "none")]

    assert found == [MARIADB, None, None]
    assert present_offset(None, {"topic.prefix": "crm"}) is None


def test_places_are_written_as_their_server_does():
    assert place_of(POSTGRES) == LogPlace((383533816,), "0/16DC42F8")
    assert place_of({"lsn": (7 << 32) + 10}).text == "7/A"
    assert place_of(MARIADB) == LogPlace((1, 4208), "mbin.000001:4208")
    assert furthest_lsn(POSTGRES).order == (383533900,)
    assert furthest_lsn(MARIADB) is None


def test_files_of_a_binlog_are_ordered_by_number():
    assert binlog("b.999999", 9).order < binlog("b.1000000", 4).order
    assert binlog("b.000002", 4).order > binlog("b.000001", 400).order
    assert same_log(binlog("h.bin.000001", 4), binlog("h.bin.000002", 9))
    assert not same_log(binlog("mbin.000001", 4), binlog("binlog.000002", 9))
    assert not same_log(binlog("mbin.000001", 4), place_of(POSTGRES))


@pytest.mark.parametrize("offset", [{"scn": "1"}, {"lsn": "0/1"}, {"lsn": True}, {"file": "nonsense", "pos": 4}, {}])
def test_an_offset_of_another_form_is_an_error(offset):
    with pytest.raises(ConnectError, match="no LSN and no place of a binlog") as found:
        place_of(offset)
    assert not found.value.retry_helps


@pytest.mark.parametrize(
    ("offset", "running"),
    [
        ({}, False),
        ({"snapshot": "INITIAL", "snapshot_completed": False}, True),
        ({"snapshot": "INITIAL", "snapshot_completed": True}, False),
        ({"snapshot": "INITIAL", "snapshot_completed": True, "last_snapshot_record": True}, False),
        ({"snapshot": True, "last_snapshot_record": False}, True),
        ({"snapshot": True, "last_snapshot_record": True}, False),
        ({"snapshot": True}, True),
        ({"snapshot": "false"}, False),
    ],
)
def test_a_snapshot_that_has_not_ended_is_known_by_its_offset(offset, running):
    assert in_snapshot(offset) is running


def test_offsets_of_a_sink_are_those_of_its_partitions():
    offsets = [
        {"partition": {"kafka_topic": "a", "kafka_partition": 1}, "offset": {"kafka_offset": 5}},
        {"partition": {"kafka_topic": "a", "kafka_partition": 0}, "offset": None},
        {"partition": {"server": "crm"}, "offset": POSTGRES},
    ]
    assert sink_offsets(offsets) == {Partition("a", 1): 5}


@pytest.mark.parametrize(
    "target",
    [
        Target(1.5, place_of(POSTGRES), nudges=2, nudged=3.0, slot=place_of({"lsn": 4})),
        Target(1.5, ends={Partition("a", 1): 5, Partition("b", 0): 0}, dead_letters=7),
    ],
)
def test_a_target_is_kept_while_a_task_is_deferred(target):
    assert Target.read(target.to_text()) == target


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"began": 1}'])
def test_what_is_no_target_is_refused(text):
    with pytest.raises(ValueError, match=r"no target|Expecting value"):
        Target.read(text)


def test_targets_are_shown_as_plain_json():
    assert Target(1, place_of(POSTGRES)).shown == "0/16DC42F8"
    assert Target(1, ends={Partition("a", 1): 5, Partition("a", 0): 3}).shown == {"a": {"0": 3, "1": 5}}
