"""Every character set of a server, every byte of those of single bytes: the log's texts are what is selected."""

from __future__ import annotations

import contextlib

import pytest

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.mysql.changelog.model import UnreadableValueError
from tests.services.mysql_family import connect, run
from tests.support.binlog_forms import Followed
from tests.support.binlog_rows import differences, logged_table
from tests.support.binlogs import BINLOGGED, SERVERS
from tests.support.databases import fresh_database
from tests.support.profile import some

SETS = "SELECT character_set_name, maxlen FROM information_schema.character_sets WHERE character_set_name <> 'binary'"
MULTIPLE = ("big5", "cp932", "eucjpms", "euckr", "gb18030", "gb2312", "gbk", "sjis", "ujis")
WITHOUT_LOSS = ("latin1", "gb18030")
A_ROW = 200
LABELS = {
    "latin1": ("€", "\x81", "ä'b", "ÿ"),
    "latin2": ("ő", "ł", ""),
    "cp1251": ("Ж", "я", "№"),
    "koi8r": ("Ж", "─"),
    "sjis": ("表", "ｱ", "能"),
    "gbk": ("繁", "中文"),
    "euckr": ("한", "글"),
    "ucs2": ("表", "€", "A"),
    "utf16": ("表", "é"),
    "utf32": ("表", "é"),
    "swe7": ("Å", "Ö"),
    "utf8mb4": ("表", "ä;b", "a\\b", "n\nl", "r\rx", "q'q", "\\n"),
}


@pytest.fixture(params=BINLOGGED)
def database(request):
    with fresh_database(request.getfixturevalue(SERVERS[request.param])) as found:
        yield found


@pytest.fixture
def legacy(database):
    connection = connect(database.url)
    run(connection, "SET sql_mode = ''")
    yield connection
    connection.close()


def as_text(value: bytes, charset: str) -> str:
    return f"CAST(X'{value.hex()}' AS CHAR CHARACTER SET {charset})"


def candidates(charset: str) -> list[bytes]:
    """Bytes that may be a character."""
    if charset not in MULTIPLE:
        return [bytes([one]) for one in range(256)]
    leads, trails = range(0x81, 0xFF), range(0x40, 0xFF)
    found = [bytes([lead, trail]) for lead in some(leads, 19) for trail in trails]
    if charset in ("ujis", "eucjpms"):
        found += [bytes([0x8F, lead, trail]) for lead in range(0xA1, 0xFF, 9) for trail in trails]
    if charset == "gb18030":
        found += [bytes([0x81 + at % 4, 0x30 + at % 10, 0x81 + at % 126, 0x30 + at // 3 % 10]) for at in range(500)]
    return [*(bytes([one]) for one in range(256)), *found]


def characters(legacy, charset: str) -> list[bytes]:
    """Those that are one character of the set, which is in Unicode."""
    run(legacy, "DROP TABLE IF EXISTS tried")
    run(legacy, f"CREATE TABLE tried (b varbinary(4), t varchar(4) CHARACTER SET {charset})")
    rows = [f"(X'{one.hex()}', {as_text(one, charset)})" for one in candidates(charset)]
    run(legacy, f"INSERT INTO tried VALUES {', '.join(rows)}")
    unicode = "CONVERT(t USING utf8mb4)"
    lost = "" if charset in WITHOUT_LOSS else f" AND (t = '?' OR {unicode} NOT IN ('?', _utf8mb4 X'EFBFBD'))"
    query = f"SELECT HEX(b) FROM tried WHERE CAST(t AS BINARY) = b AND CHAR_LENGTH(t) = 1{lost}"
    return [bytes.fromhex(one) for (one,) in run(legacy, query)]


def test_each_byte_of_all_sets_of_single_bytes(legacy, database):
    sets = [name for name, width in run(legacy, SETS) if width == 1 and name != "ascii"]
    types = [f"{type_} CHARACTER SET {name}" for name in sets for type_ in ("char(2)", "varchar(9)", "text")]
    columns = ", ".join(f"c{at} {type_}" for at, type_ in enumerate(types))
    run(legacy, f"CREATE TABLE t (id int PRIMARY KEY, {columns})")
    known = {name: characters(legacy, name) for name in sets}
    assert len(known["latin1"]) == 256
    rows = []
    for number in range(256):
        values = (as_text(bytes([number]) if bytes([number]) in known[name] else b"A", name) for name in sets)
        rows.append(f"({number}, {', '.join(f'{value}, {value}, {value}' for value in values)})")
    with logged_table(database.url) as table:
        run(legacy, f"INSERT INTO t VALUES {', '.join(rows)}")
        wanted = table.read()
        assert len(wanted) == 256
        for metadata in (True, False):
            assert not differences(table.logged(metadata=metadata), wanted, ["id", *types])


def test_characters_of_all_sets_of_several_bytes(legacy, database):
    sets = [name for name, _ in run(legacy, SETS) if name in MULTIPLE]
    assert len(sets) >= 8
    columns = ", ".join(f"{name} text CHARACTER SET {name}" for name in sets)
    with logged_table(database.url) as table:
        run(legacy, f"CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, {columns})")
        for name in sets:
            known = characters(legacy, name)
            assert len(known) > 256
            parts = [as_text(b"".join(known[at : at + A_ROW]), name) for at in range(0, len(known), A_ROW)]
            run(legacy, f"INSERT INTO t ({name}) VALUES {', '.join(f'({part})' for part in (*parts, parts[-1]))}")
        wanted = table.read()
        for metadata in (True, False):
            assert not differences(table.logged(metadata=metadata), wanted, ["id", *sets])


def test_characters_of_unicode_in_all_its_sets(legacy, database):
    sets = [name for name, _ in run(legacy, SETS) if name.startswith(("utf", "ucs"))]
    columns = ", ".join(f"{name} longtext CHARACTER SET {name}" for name in sets)
    run(legacy, f"CREATE TABLE t (id int PRIMARY KEY, {columns})")
    plane = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x10000)]))
    above = "".join(map(chr, range(0x10000, 0x110000, 997)))
    with logged_table(database.url) as table:
        run(legacy, f"INSERT INTO t VALUES (1{', %s' * len(sets)})", *([plane] * len(sets)))
        wide = [above if name in ("utf8mb4", "utf16", "utf16le", "utf32") else "" for name in sets]
        run(legacy, f"INSERT INTO t VALUES (2{', %s' * len(sets)})", *wide)
        wanted = table.read()
        assert wanted[0][1:] == (plane,) * len(sets)
        for metadata in (True, False):
            assert not differences(table.logged(metadata=metadata), wanted, ["id", *sets])


@pytest.mark.parametrize(
    ("charset", "stored"), [("cp1251", b"\x98"), ("ucs2", b"\xd8\x3d"), ("hebrew", b"\xa1"), ("big5", b"\xf9\xfe")]
)
def test_what_is_not_in_unicode_is_refused_alike(legacy, database, charset, stored):
    run(legacy, f"CREATE TABLE t (id int PRIMARY KEY, odd varchar(9) CHARACTER SET {charset})")
    with logged_table(database.url) as table:
        run(legacy, f"INSERT INTO t VALUES (1, {as_text(stored, charset)})")
        with pytest.raises(SourceError, match="'odd'"):
            table.read()
        with pytest.raises(UnreadableValueError, match="'odd'"):
            table.logged(metadata=False)


def test_labels_in_all_kinds_of_sets(legacy, database):
    columns, first, second = [], [], []
    for charset, labels in LABELS.items():
        listed = ", ".join("'" + label.replace("\\", "\\\\").replace("'", "''") + "'" for label in labels)
        columns.append(f"e_{charset} enum({listed}) CHARACTER SET {charset}")
        columns.append(f"s_{charset} set({listed}) CHARACTER SET {charset}")
        first += [labels[-1], labels[0]]
        second += [labels[0], ",".join(label for label in labels if label)]
    run(legacy, f"CREATE TABLE t (id int PRIMARY KEY, {', '.join(columns)})")
    with logged_table(database.url) as table:
        for number, values in enumerate((first, second)):
            run(legacy, f"INSERT INTO t VALUES ({number}{', %s' * len(values)})", *values)
        run(legacy, f"INSERT INTO t VALUES (2{', 0' * len(first)})")
        wanted = table.read()
        assert wanted[0][1:3] == tuple(first[:2])
        for metadata in (True, False):
            assert not differences(table.logged(metadata=metadata), wanted, ["id", *columns])


@pytest.mark.parametrize("database", ["mariadb-10.11"], indirect=True)
def test_labels_that_the_catalog_cannot_show_come_with_the_log_or_are_warned_of(legacy, database, caplog):
    run(legacy, "CREATE TABLE t (id int PRIMARY KEY, e enum('\U0001f600','x') CHARACTER SET utf8mb4)")
    with contextlib.closing(Followed(database.url, "t")) as followed:
        run(legacy, "INSERT INTO t VALUES (1, '\U0001f600')")
        assert [rows.images for rows in followed.run()] == [[("1", "\U0001f600")]]
    assert not caplog.records
    with contextlib.closing(Followed(database.url, "t")) as followed:
        run(legacy, "INSERT INTO t VALUES (2, '\U0001f600'), (3, 'x')")
        run(legacy, "INSERT INTO t VALUES (4, 'x')")
        found = [rows.images for rows in followed.run(names=False)]
    assert found == [[("2", "?"), ("3", "x")], [("4", "x")]]
    [record] = caplog.records
    assert "SET GLOBAL binlog_row_metadata=FULL" in record.getMessage()
    assert "'e'" in record.getMessage()
