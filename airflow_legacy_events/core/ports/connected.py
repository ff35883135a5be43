"""Port of a database that a connector of Kafka Connect reads: where its log is, and what makes the log move."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class LogPlace(NamedTuple):
    """A place of a database's log.

    Attributes:
        order: what places of one server are ordered by: the LSN, or number of the binlog's file and position in it.
        text: as the server writes it, such as ``0/16B3748`` or ``binlog.000012:4711``.
    """

    order: tuple[int, ...]
    text: str


class SourceSlot(NamedTuple):
    """A replication slot, of whichever owner.

    Attributes:
        name: of it.
        database: that it reads; None for a physical slot.
        active: whether a session uses it.
        confirmed: place up to which its reader confirmed; None if there is none.
        restart: place from which the server keeps its log; None for a slot that has lost it.
        lost: why the server no longer keeps the log for it, in the server's words; None if it does.
        held_bytes: of log that the server keeps for it; None if it keeps none.
    """

    name: str
    database: str | None
    active: bool
    confirmed: LogPlace | None
    restart: LogPlace | None
    lost: str | None
    held_bytes: int | None


class ConnectedDatabase(Protocol):
    """A database that a source connector reads. It connects on first use."""

    @property
    def product(self) -> str:
        """Product of the server: `postgresql`, `mariadb` or `mysql`."""

    @property
    def database(self) -> str:
        """Name of the connection's database; empty if it names none."""

    def end(self) -> LogPlace:
        """Return where the log ends now: all that was committed before lies below.

        Raises:
            ConfigurationError: the server has no log, or the user may not see it.
            SourceError: it can't be queried.
        """

    def slot(self, name: str) -> SourceSlot | None:
        """Return a replication slot of the server; None if it has none of that name.

        Raises:
            SourceError: the server can't be queried.
        """

    def emits(self) -> bool:
        """Return whether the server has logical messages that `pgoutput` passes on."""

    def emit(self, prefix: str, content: str) -> None:
        """Write a logical message that belongs to no transaction.

        Raises:
            ConfigurationError: this user may not, or not on this server; the message holds the remedy.
            SourceError: it failed for another reason.
        """

    def published(self, publication: str, table: str) -> bool | None:
        """Return whether a publication has a table; None if there is no such publication, or the server knows none.

        Args:
            publication: name of it.
            table: as Debezium writes it, such as `public.debezium_signal`.
        """

    def signal(self, table: str, id_: str, kind: str, data: str) -> None:
        """Write a row into a signal table of Debezium, in a transaction of its own.

        Args:
            table: as `signal.data.collection` names it: `schema.table` or `database.table`.
            id_: of the signal.
            kind: of the signal, such as `log`.
            data: JSON.

        Raises:
            ConfigurationError: there is no such table, or this user may not write to it; the message holds the remedy.
            SourceError: it failed for another reason.
        """

    def drop_slot(self, name: str) -> bool:
        """Drop a replication slot; return whether it is gone, False if a session uses it.

        Raises:
            ConfigurationError: this user may not; the message holds the remedy.
            SourceError: it failed for another reason.
        """

    def drop_publication(self, name: str) -> None:
        """Drop a publication; one that is not there is no error.

        Raises:
            ConfigurationError: this user may not; the message holds the remedy.
            SourceError: it failed for another reason.
        """

    def close(self) -> None:
        """End the session; may be called from any thread."""
