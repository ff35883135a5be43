"""Texts, labels, addresses and compressed columns of the binlog."""

from __future__ import annotations

import zlib

import pytest

from airflow_legacy_events.databases.mysql.changelog.character_sets import Conversion, texts
from airflow_legacy_events.databases.mysql.changelog.cutting import pieces
from airflow_legacy_events.databases.mysql.changelog.model import UnreadableValueError
from tests.support.binlog_values import column, read, value

INET6 = column(254, 16, character_set="binary", declared="inet6")
UUID = column(254, 16, character_set="binary", declared="uuid")
CP1252 = {number: bytes([number]).decode("cp1252", "replace") for number in range(256)}


def by_server(charset, values):
    """A server whose latin1 is cp1252, and whose sjis is Python's."""
    if charset == "latin1":
        return [None if "\ufffd" in (text := "".join(CP1252[byte] for byte in one)) else text for one in values]
    found = [one.decode("shift_jis", "replace") for one in values]
    return [None if "\ufffd" in text else text for text in found]


def text_of(charset: str, stored: bytes) -> str:
    return value(column(15, 90, character_set=charset), bytes([len(stored)]) + stored, by_server)


@pytest.mark.parametrize(
    ("charset", "stored", "text"),
    [
        ("utf8mb4", "a\U0001f600ä".encode(), "a\U0001f600ä"),
        ("utf8", b"abc", "abc"),
        ("latin1", b"\x80 \xe4", "€ ä"),
        ("ucs2", b"\x20\xac\0A", "€A"),
        ("utf16", "\U0001f600".encode("utf-16-be"), "\U0001f600"),
        ("utf16le", b"A\0", "A"),
        ("utf32", b"\0\0\0A", "A"),
        ("ascii", b"abc", "abc"),
        ("sjis", b"\x95\x5c a", "表 a"),
        ("sjis", b"a", "a"),
    ],
)
def test_a_text_is_read_by_its_character_set(charset, stored, text):
    assert text_of(charset, stored) == text


@pytest.mark.parametrize(
    ("charset", "stored"),
    [("utf8mb4", b"\xff"), ("latin1", b"\x81"), ("ascii", b"\x80"), ("ucs2", b"\xd8\x3d"), ("sjis", b"\xff")],
)
def test_bytes_that_are_no_text_name_the_column_and_not_the_value(charset, stored):
    with pytest.raises(UnreadableValueError, match=rf"column 'c' holds .* character set {charset}$"):
        text_of(charset, stored)


def test_a_block_is_converted_at_once():
    asked = []

    def convert(charset, values):
        asked.append(list(values))
        return by_server(charset, values)

    columns = [column(3), column(15, 90, character_set="sjis"), column(252, 2, character_set="sjis")]
    body = b"".join(
        b"\0" + number.to_bytes(4, "little") + b"\x02\x95\x5c" + bytes([number, 0]) + b"\xb1" * number
        for number in range(3)
    )
    assert read(columns, body + b"\x06\x07\0\0\0", convert) == [
        ("0", "表", ""),
        ("1", "表", "ｱ"),
        ("2", "表", "ｱｱ"),
        ("7", None, None),
    ]
    assert [len(one) for one in asked] == [128, 128, 3, 2]


@pytest.mark.parametrize(
    ("one", "stored", "expected"),
    [
        (column(254, 5, character_set="binary"), b"\x01a", b"a\0\0\0\0"),
        (column(254, 5, character_set="utf8mb4"), b"\x01a", "a"),
        (column(254, 300, character_set="utf8mb4"), b"\x01\0a", "a"),
        (column(15, 300, character_set="binary"), b"\x02\0a\0", b"a\0"),
        (column(252, 3, character_set="utf8mb4"), b"\x01\0\0a", "a"),
        (column(255, 4), b"\x06\0\0\0\x11\x22\x33\x44\x01\x02", b"\x01\x02"),
        (column(242, 4), b"\x04\0\0\0\0\0\x80\x3f", b"\0\0\x80\x3f"),
        (column(247, 1, labels=("a", "b")), b"\x02", "b"),
        (column(247, 1, labels=("a", "b")), b"\x00", ""),
        (column(247, 2, labels=tuple(map(str, range(300)))), b"\x2c\x01", "299"),
        (column(248, 1, labels=("a", "b", "c")), b"\x05", "a,c"),
        (column(248, 8, labels=tuple(map(str, range(64)))), b"\x01" + b"\0" * 6 + b"\x80", "0,63"),
        (
            UUID,
            b"\x02\x12\x34",
            "12340000-0000-0000-0000-000000000000",
        ),
        (column(254, 4, character_set="binary", declared="inet4"), b"\x03\x01\x02\x03", "1.2.3.0"),
        (INET6, b"\x00", "::"),
        (INET6, b"\x02\x00\x01", "1::"),
        (
            INET6,
            b"\x10" + b"\0" * 10 + b"\xff\xff\x01\x02\x03\x04",
            "::ffff:1.2.3.4",
        ),
        (INET6, b"\x10" + b"\0" * 15 + b"\x01", "::1"),
        (
            INET6,
            b"\x10" + b"\0\x01" * 3 + b"\0\0" + b"\0\x01" * 4,
            "1:1:1::1:1:1:1",
        ),
    ],
)
def test_strings_labels_and_addresses(one, stored, expected):
    assert value(one, stored) == expected


@pytest.mark.parametrize("one", [column(247, 1, labels=("a",)), column(248, 1, labels=("a",))])
def test_a_label_that_the_column_does_not_have_is_damage(one):
    with pytest.raises(ValueError, match="rows event"):
        value(one, b"\x02")


@pytest.mark.parametrize("bare", [0, 8])
def test_a_compressed_column(bare):
    machine = zlib.compressobj(wbits=-15 if bare else 15)
    packed = machine.compress(b"x" * 300) + machine.flush()
    stored = bytes([0x82 + bare, 1, 44]) + packed
    texts_, bytes_ = column(140, 2, character_set="utf8mb4"), column(141, 300, character_set="binary")
    for one, expected in ((texts_, "x" * 300), (bytes_, b"x" * 300)):
        assert value(one, len(stored).to_bytes(2, "little") + stored) == expected
        assert value(one, b"\x02\0\0x") == expected[:1]
        assert value(one, b"\0\0") == expected[:0]
        for wrong in (
            b"\x12\x01\x2c" + packed,
            stored[:-3],
            bytes([0x82 + bare, 1, 43]) + packed,
            b"\x91\x01" + packed,
        ):
            with pytest.raises(ValueError, match="rows event"):
                value(one, len(wrong).to_bytes(2, "little") + wrong)


def test_labels_that_are_no_text_name_their_column():
    assert texts("latin1", [b"\x80", b""], by_server, "kind") == ["€", ""]
    assert texts("sjis", [b"\x95\x5c"], by_server, "kind") == ["表"]
    for charset, stored in (("latin1", b"\x81"), ("sjis", b"\xff"), ("utf8mb4", b"\xff")):
        with pytest.raises(UnreadableValueError, match="'kind'"):
            texts(charset, [stored], by_server, "kind")


@pytest.mark.parametrize(
    ("charset", "codec"),
    [("sjis", "shift_jis"), ("ujis", "euc_jp"), ("gb18030", "gb18030"), ("gbk", "gbk"), ("big5", "big5")],
)
def test_a_long_text_is_cut_between_characters(charset, codec):
    text = {"big5": "繁體a字"}.get(charset, "表a能5" if codec != "gb18030" else "表a\U0001f6005") * 100
    for most in range(1, 12):
        found = list(pieces(charset, text.encode(codec), most))
        assert "".join(one.decode(codec) for one in found) == text
        assert max(map(len, found)) < most + 4
    assert list(pieces(charset, b"", 5)) == [b""]


class Server:
    """Converts by Python's codecs what a statement holds."""

    def __init__(self):
        self.statements = []

    def __call__(self, _, statement):
        self.statements.append(statement)
        values = [bytes.fromhex(part.split("'")[0]) for part in statement.split("X'")[1:] if " AS b" in part]
        return [(text,) for text in by_server("sjis", values)]


def test_the_server_is_asked_once_for_a_short_text_and_in_blocks(monkeypatch):
    server = Server()
    convert = Conversion(server)
    values = [b"\x95\x5c", b"a", b"\x95\x5c", b"\xff"]
    assert convert("sjis", values) == ["表", "a", "表", None]
    assert convert("sjis", values) == ["表", "a", "表", None]
    assert convert("sjis", []) == []
    assert len(server.statements) == 1
    long = b"\x95\x5c" * 200_000
    assert convert("sjis", [long, b"b", long + b"c"]) == ["表" * 200_000, "b", "表" * 200_000 + "c"]
    assert len(server.statements) > 2
    assert max(map(len, server.statements)) < 2**20
    many = [number.to_bytes(2, "big").replace(b"\xff", b"").replace(b"\x95", b"") for number in range(0x2020, 0x2420)]
    assert convert("sjis", many) == by_server("sjis", many)
