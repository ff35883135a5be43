"""Commands of a replica, byte by byte as the protocol describes them."""

from __future__ import annotations

from airflow_legacy_events.databases.mysql.changelog import dump_commands
from airflow_legacy_events.databases.mysql.changelog.dump_session import error_in
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace

PLACE = BinlogPlace("binlog.000012", 4711)


def test_a_replica_registers_with_its_id_and_host():
    assert dump_commands.register(0xFEDCBA98, "worker") == b"\x98\xba\xdc\xfe\x06worker" + bytes(12)


def test_a_long_host_is_cut_as_the_server_allows():
    assert dump_commands.register(1, "w" * 70)[4:66] == b"\x3c" + b"w" * 60 + b"\x00"


def test_a_dump_does_not_block_and_leaves_no_event_out():
    assert dump_commands.dump(PLACE, 7) == b"\x67\x12\x00\x00\x03\x00\x07\x00\x00\x00binlog.000012"


def test_a_dump_behind_4_gib_has_64_bits():
    found = dump_commands.dump_by_gtid(BinlogPlace("binlog.000012", 2**32 + 5), 7)
    position, no_gtids = b"\x05\x00\x00\x00\x01\x00\x00\x00", b"\x08\x00\x00\x00" + bytes(8)
    assert found == b"\x01\x00\x07\x00\x00\x00\x0d\x00\x00\x00binlog.000012" + position + no_gtids


def test_an_error_of_the_server_is_read_with_and_without_its_state():
    assert error_in(b"\xff\xd4\x04#HY000gone").args == (1236, "gone")
    assert error_in(b"\xff\xd4\x04gone").args == (1236, "gone")
