"""Table names as users write them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from airflow_legacy_events.core.errors import ConfigurationError

QUOTES: Mapping[str, str] = {"postgresql": '"', "mysql": '"`', "mariadb": '"`', "sqlite": '"`['}
"""Opening quote characters by SQLAlchemy dialect name.

`"` is that of standard SQL, a backtick that of MySQL, `[` that of SQL Server.
"""

_ENDS = {"[": "]"}
_NUL = "\0"
_SCHEMA_AND_NAME = 2


class TableName(NamedTuple):
    """A name as in the catalog. Without a schema, it is looked up in the default one."""

    schema: str | None
    name: str


def readings(table: str, quotes: str = '"') -> tuple[TableName, ...]:
    """Return the possible meanings of a name; the first one that exists counts.

    First: the exact catalog name in the default schema, with any characters. Then: `table` or `schema.table`, each part
    quoted or bare. A quote inside quotes is doubled, as in SQL; a bare part has no dot.

    Args:
        table: as the user wrote it.
        quotes: opening quote characters.

    Raises:
        ConfigurationError: it is empty or contains a NUL.
    """
    if not table or _NUL in table:
        raise _no_name(table)
    split = _split(table, quotes)
    return tuple(dict.fromkeys([TableName(None, table), *([split] if split is not None else [])]))


def looked_up(table: str, quotes: str = '"') -> tuple[TableName, ...]:
    """Return the names to look up, in order: the result of `readings`, then the same in lower case."""
    exact = readings(table, quotes)
    folded = [TableName(schema, name.lower()) for schema, name in exact]
    lower = [TableName(schema and schema.lower(), name) for schema, name in folded]
    return tuple(dict.fromkeys([*exact, *folded, *lower]))


def split_name(table: str, quotes: str = '"') -> TableName:
    """Return schema and name of a table to create, where no catalog can resolve the name.

    Raises:
        ConfigurationError: it is neither `table` nor `schema.table`.
    """
    split = _split(table, quotes) if _NUL not in table else None
    if split is None:
        raise _no_name(table)
    return split


def no_such_table(table: str, names: Sequence[str], quotes: str = '"', grant: str = "") -> ConfigurationError:
    """Return the error for a table that is not in `names`. It names similar ones.

    Args:
        table: as the user wrote it.
        names: of the existing tables.
        quotes: opening quote characters.
        grant: the statement that makes it visible, if it exists and the database hides unreadable tables.
    """
    *_, (schema, name) = readings(table, quotes)
    near = difflib.get_close_matches(name, names, n=3) or sorted(names)[:5]
    also = f", nor {name!r} in schema {schema!r}," if schema is not None else ""
    hint = (
        ""
        if _split(table, quotes)
        else (f". Give 'table' or 'schema.table', and quote a part that contains a dot: {_SHOWN}")
    )
    shown = grant and f". If it exists, run the GRANT below:\n{grant}"
    return ConfigurationError(
        f"table {table!r} was given, but there is no table or view of that name{also} that this user can see; similar:"
        f" {', '.join(near) or 'none'}{hint}{shown}"
    )


_SHOWN = '"my.schema"."my table"'


def _split(table: str, quotes: str) -> TableName | None:
    """Return schema and name of `schema.table` or `table`; None for anything else."""
    quoted = [
        rf"{re.escape(sign)}(?:[^{re.escape(end)}]|{re.escape(end)}{re.escape(end)})+{re.escape(end)}"
        for sign, end in ((sign, _ENDS.get(sign, sign)) for sign in quotes)
    ]
    part = rf"(?:{'|'.join(quoted)}|[^{re.escape('.' + quotes)}][^.]*)"
    if not re.fullmatch(rf"(?:{part}\.)?{part}", table):
        return None
    parts = [_bare(one, quotes) for one in re.findall(part, table)]
    return TableName(parts[0] if len(parts) == _SCHEMA_AND_NAME else None, parts[-1])


def _bare(part: str, quotes: str) -> str:
    if part[0] not in quotes:
        return part
    end = _ENDS.get(part[0], part[0])
    return part[1:-1].replace(end * 2, end)


def _no_name(table: str) -> ConfigurationError:
    return ConfigurationError(f"table={table!r} is not a table name: give 'table' or 'schema.table', such as {_SHOWN}")
