"""Bodies of events, byte by byte, where golden files do not hold them."""

import pytest

from airflow_legacy_events.databases.mysql.changelog.binlog import codes, column_types
from airflow_legacy_events.databases.mysql.changelog.binlog.bytes import Bytes
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid import Gtid, gtid, moment
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_lists import gtid_list, previous_gtids
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_tagged import signed, unsigned
from airflow_legacy_events.databases.mysql.changelog.binlog.incident import incident
from airflow_legacy_events.databases.mysql.changelog.binlog.query import query
from airflow_legacy_events.databases.mysql.changelog.binlog.rows_event import rows_event
from airflow_legacy_events.databases.mysql.changelog.binlog.status_variables import status_variables
from airflow_legacy_events.databases.mysql.changelog.binlog.table_map import table_map, table_name
from airflow_legacy_events.databases.mysql.changelog.binlog.xa import xa_prepare
from tests.support.binlog import packed

UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
RAW = bytes.fromhex(UUID.replace("-", ""))
TIMES = b"\2" + bytes(16)


@pytest.mark.parametrize("number", [0, 250, 251, 65_535, 65_536, 2**24 - 1, 2**24, 2**64 - 1])
def test_packed_numbers(number):
    assert Bytes(packed(number)).packed() == number
    with pytest.raises(ValueError, match="ends before"):
        Bytes(packed(number)[:-1]).packed()


@pytest.mark.parametrize(
    ("data", "number", "with_sign"),
    [
        ("00", 0, 0),
        ("02", 1, -1),
        ("fe", 127, -64),
        ("6102", 152, 76),
        ("fbff07", 65_535, -32_768),
        ("f3ff0f", 131_070, 65_535),
        ("ebff0f", 131_069, -65_535),
        ("ff" + "ff" * 8, 2**64 - 1, -(2**63)),
        ("7f" + "00" * 6 + "80", 2**55, 2**54),
    ],
)
def test_numbers_of_tagged_gtids(data, number, with_sign):
    """The README of MySQL's serialization has those of 3 bytes."""
    assert unsigned(Bytes(bytes.fromhex(data))) == number
    assert signed(Bytes(bytes.fromhex(data))) == with_sign


@pytest.mark.parametrize(
    ("kind", "body", "found"),
    [
        (codes.GTID, b"\1" + RAW + (5).to_bytes(8, "little"), Gtid(f"{UUID}:5")),
        (codes.GTID, b"\0" + RAW + (2**40).to_bytes(8, "little") + TIMES, Gtid(f"{UUID}:{2**40}")),
        (codes.GTID, b"\0" + RAW + bytes([9] + [0] * 7) + TIMES + (7).to_bytes(7, "little"), Gtid(f"{UUID}:9", 7)),
        (
            codes.GTID,
            b"\0" + RAW + bytes([9] + [0] * 7) + TIMES + (2**55 + 8).to_bytes(7, "little") + (7).to_bytes(7, "little"),
            Gtid(f"{UUID}:9", 7),
        ),
        (codes.ANONYMOUS_GTID, b"\0" + bytes(24) + TIMES + (7).to_bytes(7, "little"), Gtid(None, 7)),
        (codes.MARIADB_GTID, bytes([7] + [0] * 7) + b"\2\0\0\0" + b"\1" + bytes(6), Gtid("2-44-7", standalone=True)),
        (codes.MARIADB_GTID, bytes([7] + [0] * 7) + bytes(4) + b"\2" + bytes(8), Gtid("0-44-7")),
        (
            codes.MARIADB_GTID,
            bytes([7] + [0] * 7) + bytes(4) + b"\x42" + bytes(8) + b"\xff\xff\xff\xff\1\1ab",
            Gtid("0-44-7", prepares="X'61',X'62',-1"),
        ),
        (
            codes.MARIADB_GTID,
            bytes([7] + [0] * 7) + bytes(4) + b"\x81" + b"\1\0\0\0\1\0a" + b"\x00",
            Gtid("0-44-7", standalone=True, completes="X'61',X'',1"),
        ),
        (
            codes.MARIADB_GTID,
            bytes([7] + [0] * 7) + bytes(4) + b"\x20" + b"\x19\2" + bytes(8) + b"\6\1\0\0",
            Gtid("0-44-7", alter="rollback", thread=262),
        ),
        (  # a large transaction's file: MariaDB fills the event up to where the cache begins
            codes.MARIADB_GTID,
            bytes([7] + [0] * 7) + bytes(4) + b"\x0c\x10\x06" + bytes(3700),
            Gtid("0-44-7", thread=6),
        ),
    ],
)
def test_gtids(kind, body, found):
    assert gtid(kind, body, 44) == found


def test_moments():
    assert (moment(None, 5), moment(1_500_000, 9)) == ((5, 0), (1, 500_000))


@pytest.mark.parametrize("body", [b"\x04\0\0", b"\2\2\x1a", b"\2\2\0\0\2", b"\2\2\0\6\x44" + b"a" * 34])
def test_tagged_gtids_that_are_damaged(body):
    with pytest.raises(ValueError, match=r"GTID event|ends before|a tag has"):
        gtid(codes.GTID_TAGGED, body, 1)


def eight(number):
    return number.to_bytes(8, "little")


def test_lists_of_gtids():
    plain = eight(1) + RAW + eight(2) + eight(1) + eight(6) + eight(8) + eight(9)
    assert str(previous_gtids(plain)) == f"{UUID}:1-5:8"
    tagged = eight(1 << 56 | 2 << 8 | 1) + RAW + b"\0" + eight(1) + eight(1) + eight(6)
    tagged += RAW + b"\x06tag" + eight(1) + eight(2) + eight(3)
    assert str(previous_gtids(tagged)) == f"{UUID}:1-5:tag:2"
    assert not previous_gtids(eight(0))
    mariadb = (2 | 1 << 28).to_bytes(4, "little") + b"\0\0\0\0\1\0\0\0" + eight(7) + b"\1\0\0\0\2\0\0\0" + eight(9)
    assert str(gtid_list(mariadb)) == "0-1-7,1-2-9"


@pytest.mark.parametrize(
    "body", [eight(2**40), eight(1) + RAW + eight(2**50), eight(1) + RAW + eight(1) + eight(5) * 2]
)
def test_lists_of_gtids_that_are_damaged(body):
    with pytest.raises(ValueError, match=r"cut off|are no numbers"):
        previous_gtids(body)
    with pytest.raises(ValueError, match=r"cut off|ends before"):
        gtid_list(b"\xff\xff\xff\x0f")


def test_status_variables():
    mariadb_first = (
        b"\x83\2" + bytes(8) + b"\x82\x04" + bytes(8) + b"\1" + eight(4 | 1 << 20) + b"\x04\x2d\1" + bytes(4)
    )
    found = status_variables(mariadb_first)
    assert (found.sql_mode, found.client_collation) == (4 | 1 << 20, 301)
    assert (found.ansi_quotes, found.backslashes) == (True, False)
    many = b"\x0c\2one\0two\0\x0c\xfe\x0b\1u\1h\x05\3UTC\2\3std\0\x80abc\xff\x04\x21\0" + bytes(4)
    assert status_variables(many).client_collation == 33
    unknown = status_variables(b"\x77\x04\x21\0")
    assert (unknown.sql_mode, unknown.client_collation, unknown.backslashes) == (None, None, True)
    with pytest.raises(ValueError, match="ends before"):
        status_variables(b"\1\0")


def test_statements():
    variables = b"\1" + eight(0)
    head = b"\7\0\0\0" + bytes(4) + b"\4" + b"\x51\4" + len(variables).to_bytes(2, "little")
    found = query(codes.QUERY, head + variables + b"shop\0INSERT '\xe4'")
    assert (found.thread, found.database, found.statement, found.error) == (7, "shop", b"INSERT '\xe4'", 1105)
    assert found.text.encode("utf-8", "surrogateescape") == found.statement
    loaded = query(codes.EXECUTE_LOAD_QUERY, head + bytes(13) + variables + b"shop\0LOAD DATA")
    assert (loaded.database, loaded.text) == ("shop", "LOAD DATA")


def test_the_end_of_a_first_phase():
    body = b"\1" + b"\xff\xff\xff\xff" + b"\2\0\0\0" + b"\1\0\0\0" + b"abc"
    assert xa_prepare(body) == ("X'6162',X'63',-1", True)


def test_incidents():
    assert (incident(b"\1\0\5great"), incident(b"\1\0\0"), incident(b"\1\0")) == ("great", "", "")


@pytest.mark.parametrize(
    ("metadata", "real"),
    [
        (0xFE_09, (column_types.STRING, 9)),
        (0xF7_02, (column_types.ENUM, 2)),
        (0xF8_08, (column_types.SET, 8)),
        (0xEE_90, (column_types.STRING, 400)),
        (0xDE_FC, (column_types.STRING, 764)),
        (0xCE_FC, (column_types.STRING, 1020)),
    ],
)
def test_lengths_of_char(metadata, real):
    assert column_types.real_string(metadata) == real


def map_of(codes_, metadata=b"", optional=b"", nullable=b"\0"):
    names = b"\4shop\0\6orders\0"
    types = packed(len(codes_)) + bytes(codes_)
    return bytes([9] + [0] * 7) + names + types + packed(len(metadata)) + metadata + nullable + optional


def test_a_bare_table_map():
    body = map_of([3, 15], b"\x28\0", nullable=b"\2")
    found = table_map(body, mariadb=False)
    assert (found.id, found.database, found.table, found.types, found.metadata) == (
        9,
        "shop",
        "orders",
        (3, 15),
        (0, 40),
    )
    assert found.nullable == (False, True)
    assert found[6:12] == (None,) * 6
    assert table_name(body) == ("shop", "orders")
    assert found.raw == table_map(b"\7" + body[1:], mariadb=True).raw


def test_geometries_count_as_texts_on_mariadb_alone():
    geometry, text = column_types.GEOMETRY, column_types.BLOB
    collations = b"\2\3\x3f\1\x21"
    body = map_of([geometry, text, text], b"\4\2\2", collations)
    assert table_map(body, mariadb=True).collations == (63, 33, 63)
    assert table_map(body, mariadb=False).collations == (None, 63, 33)
    assert table_map(map_of([geometry, text], b"\4\2", b"\3\1\x21"), mariadb=False).collations == (None, 33)
    assert table_map(map_of([geometry, text], b"\4\2", b"\3\2\x3f\x21"), mariadb=True).collations == (63, 33)


def test_years_have_signs():
    found = table_map(map_of([13, 3, 15, 1], b"\5\0", b"\1\1\xa0"), mariadb=False)
    assert found.unsigned == (True, False, False, True)


def test_keys_with_prefixes_and_unknown_fields():
    found = table_map(map_of([3, 3], b"", b"\4\4\1a\1b\x09\4\1\0\0\5\x63\2??"), mariadb=False)
    assert (found.names, found.primary_key) == (("a", "b"), (1, 0))
    assert table_map(map_of([3], b"", b"\4\2\1a"), mariadb=False).primary_key == ()
    assert table_map(map_of([3], b"", b"\1\1\0"), mariadb=False).primary_key is None


@pytest.mark.parametrize(
    ("code", "metadata", "possible"),
    [
        *[(code, bytes([digits]), digits <= 6) for code in (17, 18, 19) for digits in (0, 6, 7)],
        *[(code, bytes([size]), 1 <= size <= 4) for code in (249, 252, 245, 255, 242, 140) for size in (0, 1, 4, 5)],
        *[(246, bytes([precision, scale]), scale <= precision) for precision, scale in ((65, 30), (5, 5), (5, 6))],
        *[(246, bytes([precision, scale]), False) for precision, scale in ((66, 0), (65, 39))],
        *[
            (16, bytes([bits, size]), ok)
            for bits, size, ok in ((3, 0, True), (0, 8, True), (8, 0, False), (1, 8, False))
        ],
        *[(254, bytes([real, size]), ok) for real, size, ok in ((247, 2, True), (247, 3, False), (248, 9, False))],
        (4, b"\4", True),
        (5, b"\0", False),
        (15, b"\xff\xff", True),
        (3, b"", True),
    ],
)
def test_metadata_that_a_type_may_have(code, metadata, possible):
    body = map_of([code], metadata)
    if possible:
        assert len(table_map(body, mariadb=False).metadata) == 1
    else:
        with pytest.raises(ValueError, match=r"shop\.orders has metadata that its type does not have"):
            table_map(body, mariadb=False)


@pytest.mark.parametrize(
    "body",
    [
        map_of([3])[:-1],
        map_of([21]),
        map_of([3], b"\0"),
        map_of([15], b"\0"),
        map_of([3], b"", b"\1\2\0\0"),
        map_of([3], b"", b"\1\0"),
        map_of([15], b"\1\0", b"\2\3\x21\1\x21"),
        map_of([15], b"\1\0", b"\3\2\x21\x21"),
        map_of([3], b"", b"\4\4\1a\1b"),
        map_of([3], b"", b"\4\1\5"),
        map_of([3], b"", b"\4\2\1a\x08\1\1"),
        map_of([254], b"\xf7\1", b"\6\2\5\1"),
        map_of([3], b"", b"\6\2\1\0"),
        map_of([3], b"", b"\1\x05\0"),
        map_of([3], b"", b"\4\2\1\xff"),
    ],
)
@pytest.mark.parametrize("mariadb", [True, False])
def test_table_maps_that_are_damaged(body, mariadb):
    with pytest.raises(ValueError, match=r"table map|ends before|unknown|do not fit|decode"):
        table_map(body, mariadb=mariadb)


def test_rows_events():
    first = rows_event(codes.UPDATE_ROWS_V1, bytes([9] + [0] * 5) + b"\1\0" + b"\x09\xff\1\x01\0rows")
    assert (first.table, first.op, first.ends, first.width, first.at) == (9, "u", True, 9, 13)
    assert (first.present, first.present_after, first.whole) == (b"\xff\1", b"\1\0", False)
    second = rows_event(codes.DELETE_ROWS, bytes([9] + [0] * 5) + b"\0\0" + b"\5\0abc" + b"\2\xffrows")
    assert (second.op, second.ends, second.whole, second.partial) == ("d", False, True, False)
    assert second.body[second.at :] == b"rows"
    partial = rows_event(codes.PARTIAL_UPDATE_ROWS, bytes(8) + b"\2\0" + b"\1\1\1rows")
    assert (partial.op, partial.partial, partial.body[partial.at :]) == ("u", True, b"rows")


@pytest.mark.parametrize("body", [b"", b"\1\0", b"\0\0\1\1", b"\2\0\xfe" + b"\xff" * 8, b"\2\0\x09\1"])
def test_rows_events_that_are_damaged(body):
    with pytest.raises(ValueError, match=r"ends before|less than its size"):
        rows_event(codes.WRITE_ROWS, bytes(8) + body)
