"""Values of MySQL and MariaDB columns as a target: what the catalog says of them, and exact or refused."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.columns import ABSENT, Kind
from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.core.ports.target import ObjectionError
from tests.support.engines import MARIADB, NEW_MYSQL, of
from tests.support.targets import upsert, world_of

EARLY = "2026-07-01 09:15:02"
POINT = r"\x0101000000000000000000F03F0000000000000040"

EACH = [
    ("tinyint", "-128", "-128"),
    ("tinyint(1)", "1", "1"),
    ("tinyint unsigned", "255", "255"),
    ("mediumint", "-8388608", "-8388608"),
    ("int(5) unsigned zerofill", "7", "00007"),
    ("bigint unsigned", "18446744073709551615", "18446744073709551615"),
    ("decimal(5,2)", "19.99", "19.99"),
    ("decimal(65,30)", "1.000000000000000000000000000001", "1.000000000000000000000000000001"),
    ("float", "1.5", "1.5"),
    ("double", "0.1", "0.1"),
    ("double", "1e300", "1e300"),
    ("float(7,3)", "1.125", "1.125"),
    ("bit(1)", "true", "1"),
    ("bit(5)", "01001", "1001"),
    ("year", "2026", "2026"),
    ("year", "0", "0000"),
    ("date", "2026-07-01", "2026-07-01"),
    ("time", "-838:59:59", "-838:59:59"),
    ("time(3)", "10:11:12.5", "10:11:12.500"),
    ("datetime", EARLY, EARLY),
    ("datetime(6)", f"{EARLY}.123456", f"{EARLY}.123456"),
    ("timestamp(2) NULL", f"{EARLY}.25+00", f"{EARLY}.25"),
    ("char(5)", "ab", "ab"),
    ("varchar(40)", 'it\'s \\ a "text"\n\0\x01 %s 🙂 ', 'it\'s \\ a "text"\n\0\x01 %s 🙂 '),
    ("varchar(5) CHARACTER SET latin1", "é€", "é€"),
    ("tinytext", "ä" * 127, "ä" * 127),
    ("longtext", "x" * 70_000, "x" * 70_000),
    ("binary(3)", r"\x000102", "000102"),
    ("varbinary(9)", r"\x275c00", "275C00"),
    ("blob", r"\x", ""),
    ("point", POINT, f"00000000{POINT[2:]}"),
    ("enum('a','b''c','1')", "b'c", "b'c"),
    ("enum('a','b''c','1')", "1", "1"),
    ("set('p','q')", "q,p", "p,q"),
    ("set('p','q')", "", ""),
]
"""Type, text of a message, and what the server returns for it."""

REFUSED = [
    ("decimal(5,2)", "19.999", "no number with at most 2 digits"),
    ("decimal(5,2)", "1e2", "no number"),
    ("float(7,3)", "1.1234", "3 digits behind the point"),
    ("double", "NaN", "no finite number"),
    ("int", "1; DROP TABLE t", "no integer"),
    ("year", "26", "below 1901"),
    ("datetime", f"{EARLY}.6", "0 digits of a second"),
    ("timestamp(2) NULL", f"{EARLY}.255+00", "2 digits of a second"),
    ("time", "10:11:12.6", "0 digits of a second"),
    ("char(5)", "ab ", "ends with a space"),
    ("varchar(3)", "abc ", "3 characters"),
    ("tinytext", "ä" * 128, "255 bytes"),
    ("binary(3)", r"\x00", "fill it up to 3"),
    ("varbinary(1)", r"\x0001", "1 bytes"),
    ("enum('a','b')", "2", "none of its members"),
    ("enum('a','b')", "A", "none of its members"),
    ("set('p','q')", "2", "none of its members"),
    ("bit(3)", "1000", "3 binary digits"),
]
OBJECTED = [
    ("tinyint", "128", "1264"),
    ("int unsigned", "-1", "1264"),
    ("decimal(3,1)", "100.5", "1264"),
    ("date", "2026-02-30", "1292"),
    ("datetime", "infinity", "1292"),
    ("timestamp(0) NULL", "9999-01-01 00:00:00+00", "1292"),
    ("time", "839:00:00", "1292"),
    ("varchar(9) CHARACTER SET latin1", "ж", "1366"),
    ("varchar(9) CHARACTER SET utf8", "🙂", "1366"),
    ("integer NOT NULL", None, "1048"),
    ("point", r"\x0101", "1416"),
]


@pytest.fixture(params=of("mysql", also=["mysql-5.6"]))
def world(request):
    with world_of(request, request.param) as found:
        yield found


def _made(world, types):
    columns = ", ".join(f"c{at} {type_}" for at, type_ in enumerate(types))
    world.execute(f"CREATE TABLE t (id integer PRIMARY KEY, {columns}) CHARACTER SET utf8mb4")
    return world.shape()


def _stored(world, at, column):
    read = f"HEX(c{at})" if column.kind is Kind.BYTES else f"BIN(c{at})" if column.type.startswith("bit") else f"c{at}"
    read = f"CONCAT({read})" if column.type != "float" else f"c{at}"
    [(found,)] = world.execute(f"SELECT {read} FROM t WHERE id = 1")
    return found.decode() if isinstance(found, bytes) else str(found)


@pytest.mark.parametrize("staged", [False, True])
def test_each_type_holds_what_it_is_given(world, staged):
    shape = _made(world, [*(type_ for type_, *_ in EACH), "integer UNIQUE"])
    values = [text for _, text, _ in EACH]
    if staged:
        world.apply(shape, *(upsert(str(at), *([None] * len(EACH)), str(at)) for at in range(20)))
    world.apply(shape, *(upsert(str(at), *values, str(at)) for at in range(20)))
    for at, (type_, _, expected) in enumerate(EACH):
        assert _stored(world, at, shape.columns[at + 1]).rstrip("0.") == expected.rstrip("0."), type_


@pytest.mark.parametrize("among", [1, 3])
def test_what_a_column_would_change_is_refused_and_not_named(world, among):
    shape = _made(world, [type_ for type_, *_ in REFUSED])
    for at, (type_, text, reason) in enumerate(REFUSED):
        row = [ABSENT] * len(REFUSED)
        row[at] = text
        nothing = [ABSENT] * at + [None] + [ABSENT] * (len(REFUSED) - at - 1)
        with pytest.raises(ObjectionError, match=reason) as error:
            world.apply(shape, *(upsert(str(n), *nothing) for n in range(1, among)), upsert("9", *row))
        assert error.value.code == "VALUE", type_
        assert f"column 'c{at}'" in str(error.value)
        assert text not in str(error.value).replace(type_, "") or len(text) < 4
    assert world.rows() == []


def test_what_the_server_refuses_is_an_objection(world):
    shape = _made(world, [type_ if "NOT" in type_ or "NULL" in type_ else f"{type_} NULL" for type_, *_ in OBJECTED])
    needed = next(at for at, (type_, *_) in enumerate(OBJECTED) if "NOT NULL" in type_)
    for at, (type_, text, code) in enumerate(OBJECTED):
        row = [ABSENT] * len(OBJECTED)
        row[needed] = "1"
        row[at] = text
        with pytest.raises(ObjectionError) as error:
            world.apply(shape, upsert("9", *row))
        assert error.value.code == code, (type_, str(error.value))
        assert text is None or len(text) < 4 or text not in str(error.value)
    assert world.rows() == []


def test_null_is_no_time_of_now_and_no_number(world):
    world.execute("CREATE TABLE t (id integer PRIMARY KEY, at timestamp(0) NOT NULL DEFAULT CURRENT_TIMESTAMP)")
    with pytest.raises(ObjectionError, match="NOT NULL"):
        world.apply(world.shape(), upsert("1", None))
    world.execute("CREATE TABLE n (id integer PRIMARY KEY, n integer NOT NULL AUTO_INCREMENT UNIQUE)")
    with pytest.raises(ObjectionError, match="NOT NULL"):
        world.apply(world.shape("n"), upsert("1", None))


def test_the_catalog_says_what_fits_into_a_column(world):
    world.execute(
        "CREATE TABLE t (id bigint unsigned AUTO_INCREMENT PRIMARY KEY, d decimal(7,3) NOT NULL, at datetime(4) NOT"
        " NULL DEFAULT CURRENT_TIMESTAMP(4), a varchar(30) NOT NULL DEFAULT '', b varbinary(8), e enum('x') NOT NULL,"
        " span time(2), flag bit(1), flags bit(9))"
    )
    shape = world.shape()
    found = {one.name: one for one in shape.columns}
    assert shape.named(shape.key) == ("id",)
    assert found["id"]._replace(type="") == TargetColumn(
        "id", Kind.INTEGER, "", nullable=False, has_default=True, numbered=True, low=0, high=2**64 - 1
    )
    assert found["d"] == TargetColumn("d", Kind.DECIMAL, "decimal(7,3)", nullable=False, precision=7, scale=3)
    assert found["at"] == TargetColumn("at", Kind.TIMESTAMP, "datetime(4)", nullable=False, has_default=True, scale=4)
    assert found["a"] == TargetColumn("a", Kind.TEXT, "varchar(30)", nullable=False, has_default=True, length=30)
    assert found["b"] == TargetColumn("b", Kind.BYTES, "varbinary(8)", has_default=True, length=8)
    assert found["e"] == TargetColumn("e", Kind.TEXT, "enum('x')", nullable=False, has_default=True)
    assert found["span"] == TargetColumn("span", Kind.TIME, "time(2)", has_default=True, high=838, scale=2)
    assert (found["flag"].kind, found["flags"].kind, found["flags"].length) == (Kind.BOOLEAN, Kind.TEXT, 9)


@pytest.fixture(params=[*NEW_MYSQL, *MARIADB])
def newer(request):
    with world_of(request, request.param) as found:
        yield found


def test_generated_and_invisible_columns(newer):
    hidden = "INVISIBLE DEFAULT 3" if newer.legacy.engine.name.startswith("mariadb") else "DEFAULT 3 INVISIBLE"
    newer.execute(
        f"CREATE TABLE t (id integer PRIMARY KEY, a integer, twice integer AS (a * 2) VIRTUAL, kept integer AS (a + 1)"
        f" STORED, hidden integer {hidden}, made varchar(40) DEFAULT (UUID()))"
    )
    shape = newer.shape()
    assert [one.written for one in shape.columns] == [True, True, False, False, True, True]
    newer.apply(shape, upsert("1", "5", "99", "99", ABSENT, "x"), upsert("2", "6", ABSENT, ABSENT, "4", ABSENT))
    assert newer.rows("t", "id, a, twice, kept, hidden") == [(1, 5, 10, 6, 3), (2, 6, 12, 7, 4)]
    newer.apply(shape, upsert("1", ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, whole=True))
    [(made,)] = newer.execute("SELECT made FROM t WHERE id = 1")
    assert len(made) == 36


def test_checks_are_objections_that_name_the_constraint(newer):
    newer.execute("CREATE TABLE t (id integer PRIMARY KEY, a integer, CONSTRAINT positive CHECK (a > 0))")
    with pytest.raises(ObjectionError, match="positive") as error:
        newer.apply(newer.shape(), upsert("1", "-1"))
    assert error.value.code in ("3819", "4025")


def test_json_keeps_its_digits_or_is_refused(newer):
    newer.execute("CREATE TABLE t (id integer PRIMARY KEY, doc json)")
    shape = newer.shape()
    assert shape.columns[1].kind is Kind.JSON
    text = '{"a": [1, 18446744073709551615, -0.1], "b": "12345678901234567890.123456789012345678"}'
    newer.apply(shape, upsert("1", text))
    [(found,)] = newer.execute("SELECT doc FROM t")
    assert found.replace(" ", "") == text.replace(" ", "")
    with pytest.raises(ObjectionError):
        newer.apply(shape, upsert("2", "{"))
    many = upsert("3", '{"a": 1.00000000000000000001}')
    if newer.legacy.engine.name.startswith("mariadb"):
        newer.apply(shape, many)
        assert newer.rows("t", "id, doc")[1] == (3, many.row[1])
        return
    with pytest.raises(ObjectionError, match="round to a double"):
        newer.apply(shape, many)


@pytest.fixture(params=MARIADB)
def maria(request):
    with world_of(request, request.param) as found:
        yield found


def test_identifiers_and_addresses_of_mariadb(maria):
    maria.execute("CREATE TABLE t (k uuid PRIMARY KEY, four inet4, six inet6)")
    shape = maria.shape()
    assert [one.kind for one in shape.columns] == [Kind.UUID, Kind.TEXT, Kind.TEXT]
    key = "6ccd780c-baba-1026-9564-5b8c656024db"
    maria.apply(shape, upsert(key, "10.0.0.1", "2001:db8::1"))
    maria.apply(shape, upsert(key.upper(), "10.0.0.2", "::1", whole=True))
    assert maria.rows() == [(key, "10.0.0.2", "::1")]
    with pytest.raises(ObjectionError) as error:
        maria.apply(shape, upsert(key, "10.0.0.299", None))
    assert error.value.code == "1292"


def test_addresses_are_one_key_in_every_spelling(maria):
    maria.execute("CREATE TABLE t (k inet6 PRIMARY KEY, a integer)")
    shape = maria.shape()
    maria.apply(shape, upsert("0:0::1", "1"))
    assert maria.target.identity_of(shape, ("::1",)) == maria.target.identity_of(shape, ("0:0::1",))
    maria.apply(shape, upsert("::1", "2", whole=True))
    assert maria.rows() == [("::1", 2)]
