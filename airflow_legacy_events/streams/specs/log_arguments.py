"""Checks of the arguments that name tables, columns and server objects of a change log."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.streams.naming import holds_template

LONGEST_NAME = 63
"""Bytes of a name on PostgreSQL."""

_SLOT = re.compile(rf"[a-z0-9_]{{1,{LONGEST_NAME}}}")


class Named(Protocol):
    """What names tables, columns and server objects."""

    @property
    def message_topics(self) -> Any:
        """Topics of logical messages; with them, a log may be read without a table."""

    @property
    def tables(self) -> Any:
        """List of tables."""

    @property
    def slot(self) -> str | None:
        """Name of the slot."""

    @property
    def publication(self) -> str | None:
        """Name of the publication."""

    @property
    def key_columns(self) -> Any:
        """Key columns by table."""

    @property
    def exclude_columns(self) -> Any:
        """Columns to leave out, by table."""


def check(given: Named, *, late: bool) -> None:
    """Check the arguments, as far as possible without a connection.

    Args:
        given: the arguments.
        late: whether a text may still be a template.

    Raises:
        ConfigurationError: one of them is wrong.
    """
    none = isinstance(given.tables, Sequence) and not given.tables and bool(given.message_topics)
    if not (none or (late and _is_template(given.tables))):
        _check_tables(given.tables, late=late)
    for name in ("key_columns", "exclude_columns"):
        found = getattr(given, name)
        if found is not None and not (late and _is_template(found)):
            _check_columns(name, found, late=late)
    if given.slot is not None and not (late and holds_template(given.slot)):
        _check_slot(given.slot)
    if given.publication is not None and not (late and holds_template(given.publication)):
        _check_publication(given.publication)


def refuse_slots(given: Named, conn_id: str) -> None:
    """Check that nothing is given that only a server with replication slots has.

    Raises:
        ConfigurationError: names all arguments that are.
    """
    found = [name for name in ("slot", "publication", "message_topics") if getattr(given, name)]
    if found:
        listed = " and ".join(f"{name}=" for name in found)
        raise ConfigurationError(
            f"leave out {listed}, of PostgreSQL alone: connection {conn_id!r} leads to"
            " another database, whose log has no slots, publications or logical messages. Nothing was read"
        )


def by_table(found: Any) -> dict[str, tuple[str, ...]]:
    """Return checked columns by table."""
    return {table: tuple(names) for table, names in (found or {}).items()}


def _is_template(found: Any) -> bool:
    """Return whether a value is known only after rendering: a text with a template, or another task's output."""
    return holds_template(found) if isinstance(found, str) else hasattr(found, "resolve")


def _is_list(found: Any, *, late: bool = False) -> bool:
    is_list = isinstance(found, Sequence) and not isinstance(found, str)
    return is_list and all(isinstance(one, str) or (late and _is_template(one)) for one in found)


def _check_tables(found: Any, *, late: bool) -> None:
    if not _is_list(found, late=late) or not found:
        raise ConfigurationError(
            f"tables= must be a list of tables, such as ['public.orders', 'sales.*']; found {found!r}"
        )
    for one in found:
        if not (late and holds_template(one)):
            check_table("tables=", one, all_of_schema=True)
    if twice := [one for one in found if found.count(one) > 1]:
        raise ConfigurationError(f"tables= names {twice[0]!r} twice; name it once")


def check_table(what: str, name: str, *, all_of_schema: bool) -> None:
    """Check that a name is `schema.table`.

    Args:
        what: the argument that holds it, for the error.
        name: as given.
        all_of_schema: whether `schema.*` is possible.

    Raises:
        ConfigurationError: it is not.
    """
    schema, dot, table = name.partition(".")
    if not (schema and dot and table) or not name.strip():
        raise ConfigurationError(f"{what} names {name!r}; name the schema too, such as 'public.{name or 'orders'}'")
    if "*" in schema or ("*" in table and (table != "*" or not all_of_schema)):
        may = "; `*` stands for all tables of one schema, such as 'sales.*'" if all_of_schema else ""
        raise ConfigurationError(f"{what} names {name!r}, which is no name of one table{may}")


def _check_columns(name: str, found: Any, *, late: bool) -> None:
    if not isinstance(found, Mapping) or not all(isinstance(one, str) for one in found):
        raise ConfigurationError(
            f"{name}= must be a dict of tables and their columns, such as {{'public.orders': ['id']}}; found {found!r}"
        )
    for table, columns in found.items():
        if late and (holds_template(table) or _is_template(columns)):
            continue
        check_table(f"{name}=", table, all_of_schema=False)
        if not _is_list(columns, late=late) or not columns:
            raise ConfigurationError(
                f"{name}={{{table!r}: ...}} must be a list of column names, such as ['id']; found {columns!r}."
                " Without a key no change of a row can be reported; leave the table out for its primary key"
                if name == "key_columns"
                else f"{name}={{{table!r}: ...}} must be a list of column names, such as ['ssn']; found {columns!r}"
            )


def _check_slot(found: Any) -> None:
    if not isinstance(found, str) or not _SLOT.fullmatch(found):
        raise ConfigurationError(
            f"slot= must be 1 to {LONGEST_NAME} lower-case letters, digits and underscores, as PostgreSQL demands;"
            f" found {found!r}"
        )


def _check_publication(found: Any) -> None:
    if not isinstance(found, str) or not found or len(found.encode()) > LONGEST_NAME or "\0" in found:
        raise ConfigurationError(f"publication= must be a name of 1 to {LONGEST_NAME} bytes; found {found!r}")
