"""Checks of tables before their first row: the key, and the names that arguments give."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import Database, Reflection
from airflow_legacy_events.sources import withheld
from airflow_legacy_events.sources.order import spelled


def reading_anew(*tables: str) -> str:
    """Return the configuration of a run that reads tables again."""
    return json.dumps({"snapshot": tables}, ensure_ascii=False)


def refuse_unknown_tables(tables: Iterable[str], given: Mapping[str, Iterable[str]]) -> None:
    """Check that arguments name tables of the stream alone.

    Args:
        tables: of the stream.
        given: names of tables by argument.

    Raises:
        ConfigurationError: they name others.
    """
    known = list(tables)
    for argument, names in given.items():
        if unknown := [one for one in names if one not in known]:
            near = difflib.get_close_matches(unknown[0], known, n=3) or sorted(known)[:5]
            raise ConfigurationError(
                f"{argument} names {', '.join(map(repr, unknown))}, which tables= does not hold; nothing was read."
                f" Correct the name, or add it to tables=. Similar there: {', '.join(near)}"
            )


def key_of(what: str, found: Reflection, given: Sequence[str] | None, database: Database) -> tuple[str, ...]:
    """Return the names of the key columns of a table.

    Args:
        what: the table, for messages.
        found: its catalog facts.
        given: by the user; None: the primary key.
        database: where it is.

    Raises:
        ConfigurationError: there is no key, or the one that was given does not identify a row.
    """
    if given is not None:
        _check_key(what, found, tuple(given), database)
        return tuple(given)
    if found.primary_key:
        return found.primary_key
    withheld.refuse_hidden_key(what, found)
    raise ConfigurationError(
        f"{what} has no primary key, so its changes can't be distinguished; nothing was read. Run the statement below,"
        " or name columns that identify a row with key_columns={table: [...]}:\n"
        f"{_add_key(found, _likely_key(found), database)}"
    )


def _check_key(what: str, found: Reflection, key: tuple[str, ...], database: Database) -> None:
    withheld.refuse(what, found, key, "or name other columns with key_columns=")
    known = {column.name: column for column in found.columns}
    if missing := [name for name in key if name not in known]:
        raise ConfigurationError(
            f"key_columns= names {', '.join(map(repr, missing))}, and {what} has no such column that can be carried; it"
            f" has {', '.join(map(repr, known))}. Nothing was read; correct key_columns="
        )
    nullable = [name for name in key if known[name].nullable]
    proofs = (*found.state.distinct, *([found.primary_key] if found.primary_key else []))
    if not nullable and any(set(one) <= set(key) for one in proofs):
        return
    why = f"{', '.join(map(repr, nullable))} may be NULL" if nullable else "they are not known to be unique"
    if found.primary_key:
        remedy = f"Leave it out: the primary key ({', '.join(found.primary_key)}) identifies a row"
    else:
        remedy = f"Run the statement below:\n{_add_key(found, key, database)}"
    raise ConfigurationError(
        f"key_columns={list(key)} do not identify a row of {what}: {why}; nothing was read. {remedy}"
    )


def _likely_key(found: Reflection) -> tuple[str, ...]:
    """Return the columns that most likely identify a row."""
    known = {column.name: column for column in found.columns}
    for candidate in found.unique:
        if all(name in known and not known[name].nullable for name in candidate):
            return candidate
    firm = [column.name for column in found.columns if not column.nullable]
    return tuple(firm[:1] or list(known)[:1])


def _add_key(found: Reflection, names: Sequence[str], database: Database) -> str:
    columns = ", ".join(map(database.quoted, names))
    return f"ALTER TABLE {spelled(database, found.selectable)} ADD PRIMARY KEY ({columns})"
