"""Names, types and texts of PostgreSQL that mean something else than they seem to."""

from __future__ import annotations

import datetime as dt

from tests.support.attempts.attempt import EITHER, HOSTILE, TRAP, Attempt
from tests.support.attempts.postgres_traps import CASTS, NAMES, PATH, TRAPS, f

NAMED = (
    *(
        Attempt(f"operators and functions nearer than the server's, {how}", TRAPS, asks=asks)
        for how, asks in (
            ("by a text", {"table": "app.t", "watermark_columns": ["v"]}),
            ("by a time", {"table": "app.t", "watermark_columns": ["at"], "lag": dt.timedelta(seconds=1)}),
            ("the whole table", {"table": "app.t", "watermark_columns": []}),
            ("a query", {"sql": "SELECT id, v FROM app.t", "key_columns": ["id"]}),
        )
    ),
    *(
        Attempt(f"a search_path with the server's schema last, {how}", (PATH, *TRAPS), asks=asks)
        for how, asks in (
            ("by a text", {"table": "app.t", "watermark_columns": ["v"]}),
            ("by a time", {"table": "app.t", "watermark_columns": ["at"], "lag": dt.timedelta(seconds=1)}),
            ("the whole table", {"table": "app.t", "watermark_columns": []}),
        )
    ),
    Attempt(
        "tables and types of the server's names",
        (PATH, *NAMES),
        asks={"table": "app.t", "watermark_columns": ["at"]},
    ),
    *(
        Attempt(
            f"casts and a check of types of one's own, {by}", CASTS, asks={"table": "app.c", "watermark_columns": [by]}
        )
        for by in ("d", "e", "id")
    ),
    Attempt(
        "defaults, triggers, rules, indexes and comments",
        (
            f("BEGIN RETURN 'x'; END", "IMMUTABLE"),
            "ALTER TABLE t ADD g text GENERATED ALWAYS AS (f(id)) STORED, ADD w text DEFAULT f(1)",
            "CREATE INDEX ON t (f(id)) WHERE f(id) = 'x'",
            "CREATE STATISTICS s ON (f(id)), (v) FROM t",
            "ANALYZE t",
            "CREATE RULE r AS ON INSERT TO t DO ALSO SELECT f(1)",
            "COMMENT ON TABLE t IS '\x1b[2J {v} {{ 7 }} '' OR 1 = 1; --'",
            f(f"BEGIN RAISE EXCEPTION '{TRAP}'; END", "IMMUTABLE"),
        ),
        asks={"table": "app.t"},
    ),
    Attempt(
        "names that are code",
        (
            (
                'CREATE TABLE n (id integer PRIMARY KEY, "a\'b" text, "{v}" text, "%s" text,'
                ' "%(v)s" text, "$1" text, ":v" text, "a.b" text, "\x1b[31m" text, "{{ 7 }}" text, "x\ny" text)'
            ),
            "INSERT INTO n VALUES (1, 1, 2, 3, 4, 5, 6, 7, 8, 9)",
        ),
        asks={"table": "app.n"},
    ),
    Attempt(
        "a collation of one's own",
        (
            "CREATE COLLATION odd (provider = icu, locale = 'und-u-ks-level1', deterministic = false)",
            "ALTER TABLE t ALTER v TYPE text COLLATE odd",
        ),
        EITHER,
        {"table": "app.t", "watermark_columns": ["v"]},
    ),
)
VALUES = (
    Attempt(
        "values that are code",
        (
            "CREATE VIEW v AS SELECT * FROM unnest(ARRAY["
            + ", ".join("'" + one.replace("'", "''") + "'" for one in HOSTILE)
            + "]) WITH ORDINALITY u (v, id)",
        ),
        asks={"headers": {"h": "{v}"}, "subject": "{v}", "key_columns": ["v", "id"], "watermark_columns": ["id"]},
        values=HOSTILE,
    ),
    Attempt(
        "settings of the database that change texts",
        tuple(
            f"ALTER DATABASE <database> SET {name} = {value}"
            for name, value in {
                "standard_conforming_strings": "off",
                "DateStyle": "'German, DMY'",
                "bytea_output": "escape",
                "extra_float_digits": "-9",
                "quote_all_identifiers": "on",
                "client_encoding": "'LATIN1'",
                "TimeZone": "'Asia/Kolkata'",
                "transform_null_equals": "on",
                "default_transaction_read_only": "off",
            }.items()
        ),
        asks={"table": "app.t"},
        values=("a", "b", "c"),
    ),
    *(
        Attempt(
            f"the database's {name} of a millisecond",
            (f"ALTER DATABASE <database> SET {name} = '1ms'",),
            EITHER,
            {"table": "app.t"},
        )
        for name in ("idle_in_transaction_session_timeout", "idle_session_timeout", "lock_timeout")
    ),
)
