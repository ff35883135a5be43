"""MySQL's binary JSON: the log's text is the server's."""

from __future__ import annotations

import json

import pytest

from tests.services.mysql_family import connect, run
from tests.support.binlog_rows import logged_table
from tests.support.databases import fresh_database

TEXTS = (
    "null",
    "true",
    '""',
    "[]",
    "{}",
    "0",
    "-1",
    "32767",
    "32768",
    "-32769",
    "2147483648",
    "18446744073709551615",
    "-9223372036854775808",
    "1.0",
    "-0.0",
    "1e20",
    "1e-7",
    "123456789012345678901234567890",
    "1.7976931348623157e308",
    '{"b": 1, "a": [2, {"ccc": "x"}], "aa": null, "": "empty"}',
    json.dumps('\b\f\n\r\t\\"/\u0001\u001f\u007f\u2028\U0001f600ä'),
    json.dumps({"long": "x" * 200, "longer": "ä" * 20_000}),
    json.dumps(list(range(-70_000, 70_000, 17))),
    json.dumps({f"key{at}": {"n": at, "t": [at * 1.5, True, None, "v" * 30]} for at in range(2_000)}),
    "[" * 90 + "]" * 90,
)
VALUES = (
    "CAST(1.50 AS JSON)",
    "CAST(-12345678901234567890.123456789 AS JSON)",
    "CAST(0.00001 AS JSON)",
    "CAST(CAST(0 AS DECIMAL(65,30)) AS JSON)",
    "CAST(CAST(-7 AS DECIMAL(9,0)) AS JSON)",
    "CAST(DATE '2026-11-23' AS JSON)",
    "CAST(CAST('0000-00-00' AS DATE) AS JSON)",
    "CAST(TIME '-838:59:58.123456' AS JSON)",
    "CAST(TIME '00:00:00.5' AS JSON)",
    "CAST(TIMESTAMP '2026-11-23 09:15:02.5' AS JSON)",
    "CAST(TIMESTAMP '9999-12-31 23:59:59' AS JSON)",
    "JSON_ARRAY(TIMESTAMP '2026-11-23 09:15:02', DATE '2026-11-23', 1.10, X'00ff', b'101')",
    "CAST(X'cafe' AS JSON)",
    "CAST(CAST(REPEAT('x', 200) AS BINARY) AS JSON)",
    "JSON_OBJECT('y', CAST(2026 AS YEAR), 'e', 1.5e0, 'g', ST_GeomFromText('POINT(1 2)'))",
    "CAST(ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))') AS JSON)",
    "JSON_OBJECT('f', CAST(0.1 AS FLOAT), 'u', CAST(1 AS UNSIGNED), 'n', CAST(-1 AS SIGNED), 'd', 1e0/3)",
    "JSON_SET('{\"a\": 1}', '$.b', CAST('[1,2]' AS JSON), '$.c', NOW(6))",
    "JSON_EXTRACT('[1, {\"a\": 1.0}]', '$[1]')",
)


@pytest.fixture
def database(mysql9_logs):
    with fresh_database(mysql9_logs) as found:
        yield found


def test_documents_have_the_text_of_the_server(database):
    legacy = connect(database.url)
    run(legacy, "SET sql_mode = ''")
    run(legacy, "CREATE TABLE t (id int PRIMARY KEY, kept json, j json)")
    with logged_table(database.url) as table:
        for at, text in enumerate(TEXTS):
            run(legacy, "INSERT INTO t VALUES (%s, '7', %s)", at, text)
        for at, value in enumerate(VALUES, len(TEXTS)):
            run(legacy, f"INSERT INTO t VALUES ({at}, '7', {value})")
        run(legacy, "UPDATE t SET kept = j")
        wanted = table.read()
        found = table.logged(metadata=True)
    legacy.close()
    first, updates = found[: len(wanted)], found[len(wanted) :]
    for (at, _, text), (number, _, wanted_text) in zip(first, wanted, strict=True):
        what = [*TEXTS, *VALUES][int(number)]
        assert (at, text) == (number, wanted_text), what[:80]
    assert updates[1::2] == wanted
