"""DDL of outbox tables: columns, indexes and settings of a layout."""

from __future__ import annotations

from airflow_legacy_events.cli.outbox.quoting import other_name, postgres_name, quoted
from airflow_legacy_events.databases.table_names import QUOTES, split_name

COLUMNS = ("aggregatetype", "aggregateid", "type", "payload")
"""The columns that an application fills; the others have defaults."""
FILLED = f"({', '.join(COLUMNS)})"
"""This list in a trigger's statement identifies a trigger that was printed here."""

_POSTGRES = """\
-- The payload goes out byte for byte, so it is json: jsonb would sort its members.
-- clock_timestamp(), since now() is when the transaction began, before it waited for a row that another one held.
CREATE TABLE {table} (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  aggregatetype varchar(255) NOT NULL,
  aggregateid text NOT NULL,
  type varchar(255) NOT NULL,
  payload json,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(){mark}
);
"""
_POSTGRES_MARK = """\
-- Only rows that wait are in the index, so it stays as small as the backlog.
CREATE INDEX {index} ON {table} (id) WHERE published_at IS NULL;
-- Every row is written twice. Its second write moves it out of the index, so no fillfactor would save that.
ALTER TABLE {table} SET (
  autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0.01
);
"""
_POSTGRES_DELETE = """\
-- A queue is mostly dead rows: the usual share of the table says nothing, so they are counted.
ALTER TABLE {table} SET (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0
);
"""
_MYSQL = """\
-- The payload goes out byte for byte, so it is checked text: MySQL's json would write it in another way.
CREATE TABLE {table} (
  id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
  aggregatetype varchar(255) NOT NULL,
  aggregateid text NOT NULL,
  type varchar(255) NOT NULL,
  payload longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin CHECK (JSON_VALID(payload)),
  created_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6){mark}
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;
"""
_MYSQL_MARK = """\
-- Rows that wait lie beside each other, in the order in which they go out.
CREATE INDEX {index} ON {table} (published_at, id);
"""
_SQLITE = """\
-- AUTOINCREMENT, since an id that was deleted must not come again. Times are UTC, to the millisecond.
CREATE TABLE {table} (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  aggregatetype TEXT NOT NULL,
  aggregateid TEXT NOT NULL,
  type TEXT NOT NULL,
  payload TEXT CHECK (json_valid(payload)),
  created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')){mark}
);
"""
_SQLITE_MARK = """\
-- Only rows that wait are in the index, so it stays as small as the backlog.
CREATE INDEX {index} ON {name} (id) WHERE published_at IS NULL;
"""


_KEEP = """\
-- Rows are read in this order, and stay; retention= deletes them by their time.
CREATE INDEX {index} ON {on} (created_at, id);
"""


def debezium(dialect: str, table: str, *, mark: bool, keep: bool = False) -> str:
    """Return the statements that create an outbox in the layout of Debezium's outbox event router.

    Args:
        dialect: one of `arguments.DIALECTS`.
        table: name of the outbox, with or without a schema.
        mark: whether published rows are marked; else they are deleted, unless `keep`.
        keep: whether published rows stay as they are.

    Raises:
        ConfigurationError: `table` is not a valid table name.
    """
    schema, name = split_name(table, QUOTES[dialect])
    ending = "_order" if keep else "_pending"
    if dialect == "postgresql":
        whole, index = quoted(schema, name), quoted(postgres_name(name, ending))
        rest = _KEEP if keep else _POSTGRES_MARK if mark else _POSTGRES_DELETE
        return (_POSTGRES + rest).format(
            table=whole, on=whole, index=index, mark=",\n  published_at timestamptz" if mark else ""
        )
    rest = _KEEP if keep else ""
    if dialect == "sqlite":
        whole, index = quoted(schema, name), quoted(schema, other_name(name, ending))
        return (_SQLITE + (_SQLITE_MARK if mark else rest)).format(
            table=whole,
            name=quoted(name),
            on=quoted(name),
            index=index,
            mark=",\n  published_at datetime" if mark else "",
        )
    whole, index = quoted(schema, name, sign="`"), quoted(other_name(name, ending), sign="`")
    return (_MYSQL + (_MYSQL_MARK if mark else rest)).format(
        table=whole, on=whole, index=index, mark=",\n  published_at timestamp(6) NULL DEFAULT NULL" if mark else ""
    )
