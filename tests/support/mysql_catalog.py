"""The types of a running MariaDB or MySQL, each with what makes its values and what the server says of them."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from itertools import product
from random import Random
from typing import Any, NamedTuple

import MySQLdb

from tests.support import mysql_values as made
from tests.support.json_oracle import Number, parsed
from tests.support.mysql_values import Make

REFUSED = {"mysql-9.7": set[str](), "mariadb-10.11": set[str](), "mariadb-11.8": set[str]()}
"""Types of the servers that can be asked for all of theirs, and that are not carried."""

SESSION = "SET sql_mode = '', time_zone = '+00:00'"
_CHARACTERS = "abz AZ09?_'\"\\%;äßéñøÄЖяΩλאבกあア表漢語한글中文繁€｢ｱ\u2028\U0001f600"

_MOMENT = re.compile(r"(?!0000)(\d{4}-(?!00)\d\d-(?!00)\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?")
_MYSQL_WORDS = "SELECT word FROM information_schema.keywords"
_MARIADB_WORDS = """
SELECT word FROM information_schema.keywords UNION SELECT function FROM information_schema.sql_functions
UNION SELECT plugin_name FROM information_schema.plugins WHERE plugin_type = 'DATA TYPE'
UNION SELECT name FROM mysql.help_keyword UNION SELECT name FROM mysql.help_topic
"""
_FORMS = ("{}", "{}(3)", "{}('a')")


class Oracle(NamedTuple):
    """What a message must hold.

    Attributes:
        reads: the server's expression for a column `{}`, whose text is ASCII.
        expected: makes the JSON value of it.
        compared: the form in which that and what was found are equal.
    """

    reads: str
    expected: Callable[[str], Any]
    compared: Callable[[Any], Any] = lambda value: value


class Known(NamedTuple):
    """A way to declare a column.

    Attributes:
        sql: the declaration.
        oracle: for its values.
        always: values that every table holds.
        make: another value.
        mark: the expression by which a value is stored.
    """

    sql: str
    oracle: Oracle
    always: tuple[Any, ...]
    make: Make
    mark: str = "%s"

    def values(self, r: Random, count: int) -> list[Any]:
        """So many values, the extreme ones first, NULL among them."""
        random = [None if r.random() < 0.1 else self.make(r) for _ in range(count)]
        return [*self.always, None, *random][:count]


def _moment(text: str) -> str:
    found = _MOMENT.fullmatch(text)
    return f"{found[1]}T{found[2]}.{found[3] or '':0<6}Z" if found else text


def _utf8(digits: str) -> str:
    return bytes.fromhex(digits).decode()


def _bare(text: str) -> str:
    return re.sub(r"^0+(?=[0-9])", "", text)


def _number(value: Any) -> Any:
    """MySQL 9 writes an exponent where a result has zeros, and the other way round."""
    return Decimal(value).normalize().as_tuple() if isinstance(value, Number) else value


def _single(value: Any) -> Any:
    """The four bytes of the number: those who write it shortly and those who write the double mean the same."""
    return struct.pack("f", float(value)) if isinstance(value, Number) else value


_AS_TEXT = "CAST({} AS CHAR)"
INTEGER = Oracle(_AS_TEXT, lambda text: Number(_bare(text)))
DECIMAL = Oracle(_AS_TEXT, _bare)
DOUBLE = Oracle(_AS_TEXT, Number, _number)
_AS_DOUBLE = "IF({0} = 0, {0}, {0} + 0e0)"
FLOAT = Oracle(_AS_TEXT.format(_AS_DOUBLE), Number, _single)
# CAST of MySQL 9 leaves the last digit of a computed number out.
FLOAT_IN_JSON = Oracle(f"IF({{0}} IS NULL, NULL, JSON_ARRAY({_AS_DOUBLE}))", lambda text: Number(text[1:-1]), _single)
TEXT = Oracle("HEX(CONVERT(CAST({} AS CHAR) USING utf8mb4))", _utf8)
BYTES = Oracle("HEX({})", lambda digits: base64.b64encode(bytes.fromhex(digits)).decode())
PLAIN = Oracle(_AS_TEXT, str)
MOMENT = Oracle(_AS_TEXT, _moment)
JSON = Oracle(TEXT.reads, lambda digits: parsed(_utf8(digits)))


def bit(count: int) -> Known:
    lowest_first = f"EXPORT_SET({{}}, '1', '0', '', {count})"
    return Known(f"bit({count})", Oracle(lowest_first, lambda text: text[::-1]), *made.bits(count))


def _numbers() -> Iterator[Known]:
    for name, width in (("tinyint", 8), ("smallint", 16), ("mediumint", 24), ("int", 32), ("bigint", 64)):
        yield Known(name, INTEGER, *made.integers(width))
        yield Known(f"{name} unsigned", INTEGER, *made.unsigned(width))
        yield Known(f"{name}(4) zerofill", INTEGER, *made.unsigned(width))
    yield Known("tinyint(1)", INTEGER, *made.integers(8))
    yield from map(bit, (1, 7, 8, 33, 64))
    for whole, scale in ((35, 30), (65, 0), (8, 2), (0, 30)):
        yield Known(f"decimal({whole + scale},{scale})", DECIMAL, *made.decimal(whole, scale))
    yield Known("decimal(12,2) zerofill", DECIMAL, *made.decimal(10, 2, signed=False))
    yield Known("decimal(65,30) unsigned", DECIMAL, *made.decimal(35, 30, signed=False))
    yield Known("double", DOUBLE, *made.DOUBLES)
    yield Known("double(12,3)", DOUBLE, *made.decimal(9, 3))
    yield Known("year", INTEGER, *made.YEARS)


def _times() -> Iterator[Known]:
    yield Known("date", PLAIN, *made.DATES)
    for digits in range(7):
        yield Known(f"time({digits})", PLAIN, *made.TIMES)
        yield Known(f"datetime({digits})", MOMENT, *made.DATETIMES)
        yield Known(f"timestamp({digits}) NULL", MOMENT, *made.TIMESTAMPS)


def _strings() -> Iterator[Known]:
    for size in (0, 1, 12):
        yield Known(f"char({size})", TEXT, *made.texts(size, "a  "))
        yield Known(f"binary({size})", BYTES, *made.blobs(size, b"a\0 "))
    yield Known("varchar(12)", TEXT, *made.texts(12, " a ", "\U0001f600" * 12))
    yield Known("varchar(12) COLLATE utf8mb4_bin", TEXT, *made.texts(12, "a "))
    yield Known("varbinary(12)", BYTES, *made.blobs(12, b"\xff\0 "))
    for name, longest in (("tiny", 255), ("", 65_535), ("medium", 70_000), ("long", 70_000)):
        yield Known(f"{name}text", TEXT, *made.texts(longest, "x" * longest))
        yield Known(f"{name}blob", BYTES, *made.blobs(longest, b"\xff" * longest))
    members = ", ".join("'" + member.replace("'", "''") + "'" for member in made.MEMBERS)
    yield Known(f"enum({members})", TEXT, *made.ENUMS)
    yield Known("set('a','b','ä','c d')", TEXT, *made.SETS)


def _spatial(order: str) -> Iterator[Known]:
    """In all of them the longitude is stored first, as the values have it; `order` makes functions do so, too."""
    stored = Oracle(f"HEX(ST_AsBinary({{}}{order}))", BYTES.expected)
    for name in made.SPATIAL:
        for srid in (0, 4326):
            yield Known(name, stored, *made.shapes(name), mark=f"ST_GeomFromText(%s, {srid}{order})")


def _of_release(connection: Any) -> Iterator[Known]:
    """The types whose being there or whose values depend on the server's release."""
    mariadb, version = _is_mariadb(connection), _version(connection)
    if mariadb:
        yield Known("inet4", TEXT, *made.INET4)
        yield Known("inet6", TEXT, *made.INET6)
        yield Known("uuid", TEXT, *made.UUIDS)
        yield Known("json", JSON, *made.JSONS)
        if version >= (11, 7):
            yield Known("vector(3)", BYTES, *made.VECTORS)
    elif version >= (5, 7):
        yield Known("json", JSON, *made.JSONS_OF_DOUBLES)
        if version >= (9, 0):
            yield Known("vector(3)", BYTES, *made.VECTORS, mark="CAST(%s AS BINARY)")
    modern = not mariadb and version >= (8, 0)
    yield Known("float", FLOAT_IN_JSON if modern else FLOAT, *made.FLOATS)
    yield from _spatial(", 'axis-order=long-lat'" if modern else "")


def known(connection: Any) -> list[Known]:
    """All that the server lets a column be, in each of its character sets."""
    found = [*_numbers(), *_times(), *_strings(), *_of_release(connection)]
    for (charset,) in _rows(connection, "SELECT character_set_name FROM information_schema.character_sets"):
        if charset != "binary":
            make = partial(_chosen, _characters(connection, charset))
            names = (f"{name} CHARACTER SET {charset}" for name in ("char(9)", "varchar(9)", "text"))
            found += [Known(name, TEXT, ("?", ""), make) for name in names]
    return found


def _chosen(characters: str, r: Random) -> str:
    return "".join(r.choices(characters, k=r.randint(0, 9)))


def _characters(connection: Any, charset: str) -> str:
    """Those that come back from the character set as they were."""
    kept = ", ".join(f"HEX(CONVERT(CONVERT(%s USING {charset}) USING utf8mb4))" for _ in _CHARACTERS)
    [row] = _rows(connection, f"SELECT {kept}", *_CHARACTERS)
    return "".join(one for one, back in zip(_CHARACTERS, row, strict=True) if bytes.fromhex(back) == one.encode())


def declarable(connection: Any) -> dict[str, str]:
    """By the name that the catalog gives a type: a declaration. Each word that the server knows is tried as one."""
    found: dict[str, str] = {}
    told = _rows(connection, _MARIADB_WORDS if _is_mariadb(connection) else _MYSQL_WORDS)
    words = {word for (name,) in told for word in re.findall(r"\w+", name.lower())}
    for word, form in product(sorted(words), _FORMS):
        declared = form.format(word)
        try:
            _rows(connection, f"CREATE TABLE tried (a {declared})")
        except MySQLdb.Error:
            continue
        [(type_,)] = _rows(
            connection,
            "SELECT data_type FROM information_schema.columns"
            " WHERE table_schema = DATABASE() AND table_name = 'tried' AND column_name = 'a'",
        )
        found.setdefault(str(type_), declared)
        _rows(connection, "DROP TABLE tried")
    return found


def _is_mariadb(connection: Any) -> bool:
    return "MariaDB" in _rows(connection, "SELECT VERSION()")[0][0]


def _version(connection: Any) -> tuple[int, ...]:
    [(text,)] = _rows(connection, "SELECT VERSION()")
    return tuple(map(int, re.findall(r"\d+", text)[:2]))


def _rows(connection: Any, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return list(cursor.fetchall())
