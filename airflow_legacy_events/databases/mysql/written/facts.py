"""Facts about a table and its server."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Given(NamedTuple):
    """What the server gives a column without a value.

    Attributes:
        default: as in the catalog.
        extra: `auto_increment`, `on update …`, as in the catalog.
    """

    default: str | None
    extra: str


class Trigger(NamedTuple):
    """Trigger of a table: `BEFORE` or `AFTER`, its event, and its statement."""

    timing: str
    event: str
    statement: str


class Reference(NamedTuple):
    """Foreign key of the table: its name, and the rules of the catalog such as `SET NULL`."""

    name: str
    on_update: str
    on_delete: str


class Sequence(NamedTuple):
    """Sequence of MariaDB. A number is None if this user may not see it.

    Attributes:
        name: for a statement.
        increment: between two values; 0: `auto_increment_increment`.
        cache: number of values that the server reserves.
        cycles: whether it begins again.
    """

    name: str
    increment: int | None = None
    cache: int | None = None
    cycles: bool = False


class Writing(NamedTuple):
    """What `Database.writers` needs of the catalog.

    Attributes:
        name: of the table, for a statement.
        user: of this session, as in a GRANT.
        is_view: whether it is a view.
        engine: of the table.
        sees_all: whether this user may see the transactions of others.
        increment: of AUTO_INCREMENT values; more than 1 where several servers give them.
        replica: why rows arrive from another server, in words; None if they are not known to.
        several: what lets several servers write, in words; None if nothing is known to.
        columns: by name.
        triggers: that this user may see.
        references: foreign keys of the table; None if they are hidden.
        sequences: by the name of the column whose default they are.
        digits: fractional digits of the seconds of time columns.
    """

    name: str = ""
    user: str = ""
    is_view: bool = False
    engine: str | None = None
    sees_all: bool = False
    increment: int = 1
    replica: str | None = None
    several: str | None = None
    columns: Mapping[str, Given] = MappingProxyType({})
    triggers: tuple[Trigger, ...] = ()
    references: tuple[Reference, ...] | None = ()
    sequences: Mapping[str, Sequence] = MappingProxyType({})
    digits: Mapping[str, int] = MappingProxyType({})
