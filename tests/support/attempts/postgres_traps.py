"""Functions, operators, casts, types and tables of PostgreSQL that nothing of ours may call or mean."""

from __future__ import annotations

from tests.support.attempts.attempt import TRAP

PATH = "ALTER DATABASE <database> SET search_path = app, pg_catalog"
_BODY = f"LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{TRAP}'; END $$"
_FUNCTIONS = {
    "pg_column_size(text)": "integer",
    "pg_column_size(integer)": "integer",
    "pg_column_compression(text)": "text",
    "octet_length(text)": "integer",
    "octet_length(varchar)": "integer",
    "concat(varchar, varchar)": "text",
    "now()": "timestamptz",
    "clock_timestamp()": "timestamptz",
    "date_trunc(text, timestamptz)": "timestamptz",
    "timezone(text, timestamptz)": "timestamp",
    "make_interval()": "interval",
    "current_database()": "name",
    "current_setting(text)": "text",
    "set_config(text, text, boolean)": "text",
    "pg_backend_pid()": "integer",
    "pg_try_advisory_lock(bigint)": "boolean",
    "pg_try_advisory_lock(integer, integer)": "boolean",
    "pg_is_in_recovery()": "boolean",
    "pg_control_system()": "text",
    "pg_relation_filenode(oid)": "oid",
    "pg_get_viewdef(oid)": "text",
    "to_regclass(text)": "regclass",
    "to_regclass(varchar)": "regclass",
    "format_type(oid, integer)": "text",
    "quote_ident(name)": "text",
    "hashtext(text)": "integer",
    "max(bigint)": "bigint",
    "count(integer)": "bigint",
    "unnest(oid[])": "SETOF oid",
    "has_table_privilege(oid, text)": "boolean",
}
_TYPES = ("integer", "bigint", "oid", "name", "text", "varchar", "timestamptz", '"char"', "boolean")
TRAPS = (
    *(f"CREATE FUNCTION {name} RETURNS {result} {_BODY}" for name, result in _FUNCTIONS.items()),
    *(
        statement
        for type_ in _TYPES
        for statement in (
            f"CREATE FUNCTION operated({type_}, {type_}) RETURNS boolean {_BODY}",
            *(
                f"CREATE OPERATOR {sign} (FUNCTION = operated, LEFTARG = {type_}, RIGHTARG = {type_})"
                for sign in ("=", "<>", "<", ">", "<=", ">=")
            ),
        )
    ),
)
NAMES = (
    *(f"CREATE TYPE {name} AS ENUM ('x')" for name in ("text", "int4", "int8", "timestamptz", "oid", "name", "bool")),
    *(
        f"CREATE TABLE {name} (x int4)"
        for name in (
            *("pg_class", "pg_attribute", "pg_type", "pg_index", "pg_locks", "pg_stat_activity", "pg_namespace"),
            *("pg_database", "pg_proc", "pg_depend", "pg_constraint", "pg_operator", "pg_opclass", "pg_collation"),
        )
    ),
)
CASTS = (
    "CREATE DOMAIN d AS varchar(9)",
    "CREATE TYPE e AS ENUM ('a', 'b', 'c')",
    "CREATE TYPE pair AS (a integer, b text)",
    "CREATE TABLE c (id integer PRIMARY KEY, d d NOT NULL UNIQUE, e e NOT NULL UNIQUE, p pair, q pair[])",
    "INSERT INTO c VALUES (1, 'a', 'a', (1, 'x'), ARRAY[(1, 'x')::pair]), (2, 'b', 'b', NULL, NULL)",
    f"CREATE FUNCTION checked(x text) RETURNS boolean {_BODY}",
    "ALTER DOMAIN d ADD CONSTRAINT x CHECK (checked(VALUE)) NOT VALID",
    *(
        statement
        for type_ in ("e", "pair")
        for statement in (
            f"CREATE FUNCTION cast_{type_}({type_}) RETURNS text {_BODY}",
            f"CREATE CAST ({type_} AS text) WITH FUNCTION cast_{type_}({type_}) AS IMPLICIT",
        )
    ),
    f"CREATE FUNCTION cast_e(text) RETURNS e {_BODY}",
    "CREATE CAST (text AS e) WITH FUNCTION cast_e(text) AS IMPLICIT",
    f"CREATE FUNCTION cast_b(e) RETURNS bigint {_BODY}",
    "CREATE CAST (e AS bigint) WITH FUNCTION cast_b(e) AS IMPLICIT",
    f"CREATE FUNCTION of_e(e, e) RETURNS boolean {_BODY}",
    *(f"CREATE OPERATOR {sign} (FUNCTION = of_e, LEFTARG = e, RIGHTARG = e)" for sign in ("=", "<", ">", "<=", ">=")),
)


def f(body: str, options: str = "") -> str:
    """The function that the view calls, in the owner's words."""
    return f"CREATE OR REPLACE FUNCTION f(n integer) RETURNS text LANGUAGE plpgsql {options} AS $f$ {body} $f$"
