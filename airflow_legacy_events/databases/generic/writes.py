"""Effects of deleting or updating rows in other databases, from SQLAlchemy's inspector."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.ports import TableWrites
from airflow_legacy_events.databases import effects
from airflow_legacy_events.databases.generic.catalog import find_table, tried
from airflow_legacy_events.databases.generic.dialects import DialectTraits
from airflow_legacy_events.databases.reflection import not_a_table

_HIDDEN_KEYS = "foreign keys that point to the table: its dialect does not list those of other tables"
_HIDDEN_TRIGGERS = "triggers and row policies: its dialect does not list them"


def table_writes(session: sa.Connection, table: str, traits: DialectTraits) -> TableWrites:
    """Return the effects of deleting or updating rows of a table. Its name is looked up as written, then in lower case.

    Raises:
        ConfigurationError: there is no table of that name, or it is a view.
    """
    inspector = sa.inspect(session)
    schema, name = find_table(inspector, table)
    if name in tried(lambda: inspector.get_view_names(schema=schema)):
        raise not_a_table(table, "a view")
    name = _listed(inspector, schema, name)
    keys, triggers = _foreign_keys(inspector, schema, name), traits.triggers(session, name)
    hidden = [text for text, found in ((_HIDDEN_KEYS, keys), (_HIDDEN_TRIGGERS, triggers)) if found is None]
    return TableWrites(
        ".".join(part for part in (schema or inspector.default_schema_name, name) if part),
        references=effects.references(keys or ()),
        effects=effects.cascades(keys or ()) + _fired(triggers, "DELETE"),
        update_effects=_fired(triggers, "UPDATE"),
        partial=_partial(inspector, schema, name),
        unknown=tuple(hidden),
    )


def _listed(inspector: sa.Inspector, schema: str | None, name: str) -> str:
    """Return the name under which the database lists a table, regardless of the case it was written in."""
    names = inspector.get_table_names(schema=schema)
    return name if name in names else next((one for one in names if one.lower() == name.lower()), name)


def _foreign_keys(inspector: sa.Inspector, schema: str | None, name: str) -> list[effects.ForeignKey] | None:
    """Return the foreign keys of the tables in the same schema; None if the dialect can't list them."""
    try:
        found = inspector.get_multi_foreign_keys(schema=schema)
    except NotImplementedError:
        return None
    return [
        effects.ForeignKey(of, key["constrained_columns"], key.get("name"), _rule(key))
        for (_, of), keys in found.items()
        for key in keys
        if key["referred_table"] == name and key.get("referred_schema") in (schema, None)
    ]


def _rule(key: Any) -> str:
    return str(key.get("options", {}).get("ondelete") or "NO ACTION").upper()


def _fired(triggers: list[tuple[str, frozenset[str]]] | None, event: str) -> tuple[str, ...]:
    return tuple(f"trigger {name} on {event}" for name, events in triggers or () if event in events)


def _partial(inspector: sa.Inspector, schema: str | None, name: str) -> tuple[tuple[tuple[str, ...], str], ...]:
    found = []
    for index in tried(lambda: inspector.get_indexes(name, schema=schema)):
        options = index.get("dialect_options", {})
        condition = next((str(value) for option, value in options.items() if option.endswith("_where") and value), None)
        if condition and None not in index["column_names"]:
            found.append((tuple(index["column_names"]), condition))
    return tuple(found)
