"""Columns that this user may not read: required ones are reported with the GRANT, none is omitted silently."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import Reflection

_OF_DATA = "or name other columns, what data holds with columns= or exclude_columns="


def refuse(what: str, found: Reflection, names: Sequence[str], remedy: str = _OF_DATA) -> None:
    """Check that this user may read the required columns.

    Args:
        what: the table, for messages.
        found: its catalog facts.
        names: of the columns.
        remedy: alternative to running the GRANT.

    Raises:
        ConfigurationError: names the columns that it may not read, or can't see, and the GRANT.
    """
    withheld, wanted = found.withheld, list(dict.fromkeys(names))
    if missing := [name for name in wanted if name in (*withheld.names, *withheld.hidden)]:
        raise ConfigurationError(
            f"{what}: this user may not read {_columns(missing)}; nothing was read. Run the GRANT below,"
            f" {remedy}:\n{withheld.grant(missing)}"
        )
    there = set(_there(found))
    if withheld.hides and (missing := [name for name in wanted if name not in there]):
        raise ConfigurationError(
            f"{what}: this user can't see {_columns(missing)}; nothing was read. The server hides what a user may not"
            f" read: correct the spelling, or run the GRANT below:\n{withheld.grant(missing)}"
        )


def refuse_hidden(what: str, found: Reflection, columns: Sequence[str] | None, exclude_columns: Sequence[str]) -> None:
    """Check that `data` omits no column silently: if names are hidden, the user must list its columns.

    Args:
        what: the table, for messages.
        found: its catalog facts.
        columns: of `data`; None: all.
        exclude_columns: left out of it.

    Raises:
        ConfigurationError: names the columns that this user may read, and the GRANT for the others.
    """
    withheld = found.withheld
    if columns is not None or not withheld.hides:
        return
    there = _there(found)
    left_out = {name for name in exclude_columns if name not in there}
    if len(left_out) >= max(1, withheld.at_least):
        return
    more = f", {withheld.at_least} at least" if left_out else ""
    raise ConfigurationError(
        f"{what}: this user may not read all columns, which data would hold; nothing was read. Run the GRANT below,"
        f" name what data holds with columns=[{', '.join(map(repr, there))}], or with exclude_columns= those that the"
        f" server hides from this user{more}:\n{withheld.grant()}"
    )


def refuse_hidden_key(what: str, found: Reflection) -> None:
    """Check that the primary key is not merely hidden, before another key is chosen.

    Raises:
        ConfigurationError: names the GRANT that would show it.
    """
    if found.withheld.hides:
        raise ConfigurationError(
            f"{what} has no primary key that this user can see, and it may not read all columns; nothing was read. Name"
            " the columns that identify a row with key_columns=[...], or run the GRANT below:"
            f"\n{found.withheld.grant()}"
        )


def unseen(found: Reflection, columns: Sequence[str] | None) -> tuple[str, ...]:
    """Return what is unknown about the columns of `data`, in words with the GRANT that would show it."""
    if columns is not None or not found.withheld.hides:
        return ()
    return (f"whether data lacks more columns than exclude_columns= names; {found.withheld.grant()} shows them",)


def _there(found: Reflection) -> list[str]:
    return [*(column.name for column in found.columns), *found.refused]


def _columns(names: Sequence[str]) -> str:
    return f"column{'s' if len(names) > 1 else ''} {', '.join(map(repr, names))}"
