"""Triggers of PostgreSQL: one function, called for rows and for TRUNCATE."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_legacy_events.cli.outbox.ddl import FILLED
from airflow_legacy_events.cli.outbox.model import Capture, Dialect, Installed, Outbox, Place, Trigger
from airflow_legacy_events.cli.outbox.postgres_catalog import (
    find_outbox,
    find_place,
    find_strangers,
    find_triggers,
    installed_body,
    unreadable_columns,
)
from airflow_legacy_events.cli.outbox.quoting import literal, postgres_name, quoted
from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.ports import Reflection
from airflow_legacy_events.databases.table_names import QUOTES

_ROW, _TRUNCATE = ("AFTER INSERT OR UPDATE OR DELETE", "FOR EACH ROW", 29), ("AFTER TRUNCATE", "FOR EACH STATEMENT", 32)
# The text of a value depends on these settings, which may differ between the application's sessions.
_SETTINGS = {
    "search_path": "pg_catalog, pg_temp",
    "TimeZone": "'UTC'",
    "DateStyle": "'ISO, YMD'",
    "IntervalStyle": "'postgres'",
    "extra_float_digits": "'1'",
    "bytea_output": "'hex'",
}
_FUNCTION = """CREATE OR REPLACE FUNCTION {name}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
{settings}
AS {body}"""
_BODY = """
DECLARE
  old_key text;
  new_key text;
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    {insert} VALUES ({type}, {table}, 'truncated', '{{}}');
  END IF;
  IF TG_OP IN ('UPDATE', 'DELETE') THEN
    old_key := {old_key};
  END IF;
  IF TG_OP IN ('INSERT', 'UPDATE') THEN
    new_key := {new_key};
  END IF;
  IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND old_key COLLATE "C" <> new_key THEN
    {insert} VALUES ({type}, old_key, 'deleted', ({old}));
  END IF;
  IF TG_OP = 'UPDATE' AND old_key COLLATE "C" = new_key THEN
    {insert} VALUES ({type}, new_key, 'updated', ({new}));
  ELSIF TG_OP IN ('INSERT', 'UPDATE') THEN
    {insert} VALUES ({type}, new_key, 'created', ({new}));
  END IF;{notify}
  RETURN NULL;
END;
"""


class Postgres(Dialect):
    """PostgreSQL 12 and later."""

    quotes = QUOTES["postgresql"]
    only_here = True
    suffixes = ("_outbox", "_outbox_truncate")

    def place(self, found: Reflection) -> Place:
        """See `Dialect.place`."""
        return find_place(self.rows, found)

    def outbox(self, schema: str | None, name: str) -> Outbox:
        """See `Dialect.outbox`."""
        return find_outbox(self.rows, schema, name)

    def refused_column(self, table: tuple[str | None, str], column: Column) -> str | None:
        """See `Dialect.refused_column`."""
        if column.name in unreadable_columns(self.rows, quoted(*table)):
            return "is generated when it is read, and a trigger sees NULL in its place"
        return None

    def triggers(self, capture: Capture) -> tuple[Trigger, ...]:
        """See `Dialect.triggers`."""
        name = capture.table.name
        return tuple(
            Trigger(
                postgres_name(name, suffix),
                f"CREATE TRIGGER {quoted(postgres_name(name, suffix))} {when} ON {quoted(*capture.table)}"
                f" {each} EXECUTE FUNCTION {_function(capture)}()",
                installed_body(code, _plain(_settings(capture)), _body(capture)),
            )
            for suffix, (when, each, code) in zip(self.suffixes, (_ROW, _TRUNCATE), strict=True)
        )

    def installed(self, capture: Capture) -> tuple[Installed, ...]:
        """See `Dialect.installed`."""
        return find_triggers(self.rows, capture, _insert(capture))

    def strangers(self, capture: Capture) -> list[str]:
        """See `Dialect.strangers`."""
        names = [one.name for one in self.triggers(capture)]
        function = capture.table._replace(name=postgres_name(capture.table.name, self.suffixes[0]))
        return find_strangers(self.rows, capture, names, function)

    def script(self, capture: Capture, stale: Sequence[Installed]) -> str:
        """See `Dialect.script`."""
        table, function, triggers = quoted(*capture.table), _function(capture), self.triggers(capture)
        names = (*(one.name for one in stale), *(one.name for one in triggers))
        settings = "\n".join(f"SET {name} = {value}" for name, value in _settings(capture).items())
        body = _body(capture)
        tag = next(tag for tag in ("$outbox$", *(f"$outbox{n}$" for n in range(len(body)))) if tag not in body)
        statements = [
            "BEGIN",
            _FUNCTION.format(name=function, settings=settings, body=f"{tag}{body}{tag}"),
            f"REVOKE EXECUTE ON FUNCTION {function}() FROM PUBLIC",
            *(f"DROP TRIGGER IF EXISTS {quoted(name)} ON {table}" for name in names),
            *dict.fromkeys(f"DROP FUNCTION {one.function}()" for one in stale if one.function != function),
            *(one.create for one in triggers),
            *(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {quoted(one.name)}" for one in triggers if capture.always),
            "COMMIT",
        ]
        return ";\n".join(statements) + ";\n"


def _function(capture: Capture) -> str:
    return quoted(capture.table.schema, postgres_name(capture.table.name, "_outbox"))


def _settings(capture: Capture) -> dict[str, str]:
    money = any(one.kind is Kind.MONEY for one in (*capture.columns, *capture.key))
    return {**_SETTINGS, **({"lc_monetary": "'C'"} if money else {})}


def _plain(settings: dict[str, str]) -> dict[str, str]:
    return {name: value.strip("'") for name, value in settings.items()}


def _insert(capture: Capture) -> str:
    return f"INSERT INTO {quoted(*capture.outbox)} {FILLED}"


def _body(capture: Capture) -> str:
    notify = f"\n  PERFORM pg_notify({literal(capture.notify)}, '');" if capture.notify is not None else ""
    return _BODY.format(
        insert=_insert(capture),
        type=literal(capture.aggregate_type),
        table=literal(capture.table.name),
        old_key=_key("OLD", capture.key),
        new_key=_key("NEW", capture.key),
        old=_payload("OLD", capture.columns),
        new=_payload("NEW", capture.columns),
        notify=notify,
    )


def _payload(row: str, columns: Sequence[Column]) -> str:
    # Not json_build_object: it is limited to a hundred arguments.
    values = ", ".join(f"{_value(row, one)} AS {quoted(one.name)}" for one in columns)
    return f"SELECT row_to_json(chosen.*) FROM (SELECT {values}) AS chosen"  # noqa: S608  of quoted names


def _key(row: str, key: Sequence[Column]) -> str:
    if len(key) == 1:
        return _text(row, key[0])
    return "'[' || " + " || ',' || ".join(f"to_json({_text(row, one)})::text" for one in key) + " || ']'"


def _value(row: str, column: Column) -> str:
    """Return the value in the form that `row_to_json` writes, converted first if necessary."""
    field = f"{row}.{quoted(column.name)}"
    if column.kind is Kind.BYTES:
        return f"replace(encode({field}, 'base64'), chr(10), '')"
    if column.kind is Kind.MONEY:
        return f"{field}::numeric::text"
    # A cast would strip the blanks of a char(n), and user-defined types may have their own JSON.
    cast = column.kind is Kind.DECIMAL or (column.kind is Kind.TEXT and not column.type.startswith("bpchar"))
    return f"{field}::text" if cast else field


def _text(row: str, column: Column) -> str:
    if column.kind is Kind.INTEGER:
        return f"{row}.{quoted(column.name)}::text"
    value = _value(row, column)
    return value if value.endswith(("::text", "'')")) else f"(to_json({value}) #>> '{{}}')"
