"""Specs: the arguments of one source, in the form that every part of the package uses."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Stream, Watermark
from airflow_legacy_events.core.ports import Database, Envelope, Source
from airflow_legacy_events.core.row_security import FAIL
from airflow_legacy_events.hooks.registry import DEFAULT_ENVELOPE, make_envelope

NO_FACTS: Mapping[str, Any] = MappingProxyType({})


class SourceSpec(Protocol):
    """The arguments of one source: frozen, plain values, nothing connected.

    Operators, sensors, triggers and the command line hold the same object; no other code depends on the kind of source.
    Making one is cheap and imports no driver, because DAGs are parsed often.

    Attributes:
        kind: name of the source, under which `hooks.registry.SPECS` lists the class and watermarks store it.
        remedies: what to do where a fact of the run differs from the watermark's; see `core.guard.check`.
    """

    kind: ClassVar[str]
    remedies: ClassVar[Mapping[str, str]]

    @property
    def conn_id(self) -> str:
        """The Airflow connection of the database that is read."""

    @property
    def statement_timeout(self) -> dt.timedelta:
        """Time limit of a statement, enforced by the database."""

    @property
    def max_row_bytes(self) -> int:
        """Maximum raw bytes of a row."""

    @property
    def row_security(self) -> str:
        """What to do where a row-level security policy may hide rows; see `core.row_security`."""

    @property
    def time_column(self) -> str | None:
        """The column that the bounds of a replay in time are compared with; None: the source's default."""

    @property
    def begins_now(self) -> bool:
        """Whether a first run only marks where the source ends."""

    @property
    def watermark_names(self) -> tuple[str, ...]:
        """The watermark columns.

        Raises:
            ConfigurationError: the rendered argument is not a list of names.
        """

    def check(self, *, rendered: bool) -> None:
        """Check the arguments as far as possible without a connection.

        Args:
            rendered: False while a DAG is parsed, when a text may still be a template.

        Raises:
            ConfigurationError: an argument is wrong, or is still a template after rendering.
        """

    def resolved(self) -> Self:
        """Return the same spec with every rendered argument in its final form.

        Raises:
            ConfigurationError: an argument was rendered to a wrong type.
        """

    def stream(self, topic: str, dag_id: str, task_id: str) -> Stream:
        """Return the stream of a task's rendered arguments: a function of them alone."""

    def stream_name(self, topic: str | None) -> str | None:
        """Return the name of the stream if it is known without a task, else None."""

    def naming(self, topic: Any) -> Mapping[str, Any]:
        """Return the arguments that the stream's name is made of, by their names at the operator."""

    @property
    def without_key(self) -> bool:
        """Return whether no message has a key, which compacted topics refuse."""

    def fixed_topics(self, topic: str) -> tuple[str, ...]:
        """Return the topics that are known before a row is read."""

    def envelope(self, given: str | Envelope | None) -> Envelope:
        """Return the envelope that builds messages from the rows.

        Args:
            given: the operator's `envelope`.

        Raises:
            ConfigurationError: there is none of that name, or the object is not one.
        """

    def lock_of(self, database: Database) -> str | None:
        """Return the table whose lock a live run holds, as `TableWrites.name`; None: the lock is the stream's own.

        Raises:
            LegacyEventsError: the table can't be found.
        """

    def check_wait(self) -> None:
        """Check that waiting for new rows makes sense at this source.

        Raises:
            ConfigurationError: every row is always new there.
        """

    def source(self, database: Database, *, stream: Stream, limits: Limits, log: logging.Logger) -> Source:
        """Return the source; it reads nothing before it is used.

        Args:
            database: of the connection.
            stream: with the columns that its messages need.
            limits: budgets of the run.
            log: of the task.

        Raises:
            ConfigurationError: an argument is of the wrong form.
        """

    @classmethod
    def check_facts(cls, stream: str, facts: Mapping[str, Any]) -> None:
        """Check that the facts of a watermark can be understood; a person may have edited them.

        Raises:
            WatermarkError: naming the first that can't.
        """

    @classmethod
    def check_move(cls, stream: str, facts: Mapping[str, Any] = NO_FACTS) -> None:
        """Check that a person's new values would change where the next run begins.

        Args:
            stream: its name.
            facts: of its watermark.

        Raises:
            ConfigurationError: they would not.
        """

    @classmethod
    def check_accept(cls, stream: str, accepted: Collection[str]) -> None:
        """Check that a person may accept these things as they are now; see `directory.moves.ACCEPTED`.

        Raises:
            ConfigurationError: one of them would lose rows of this source.
        """

    @classmethod
    def left_by(cls, facts: Mapping[str, Any], stream: str, given: Mapping[str, Any]) -> SourceSpec:
        """Return the spec of the run that left a watermark, as far as its facts show; for inspection, not for a run.

        Args:
            facts: of the watermark.
            stream: its name, for the error.
            given: a person's additions, such as `source_conn_id`, `table` or `sql`.

        Raises:
            ConfigurationError: the facts are not sufficient.
        """


@runtime_checkable
class ReadsAnew(Protocol):
    """Arguments of a source that can read tables again in a live run."""

    def reading_anew(self, tables: tuple[str, ...], run: str) -> SourceSpec:
        """Return the arguments of a run that reads tables again.

        Args:
            tables: each as `schema.table`.
            run: id of the run; a retry of it continues.
        """


@runtime_checkable
class KeptBySlot(Protocol):
    """Arguments of a source whose position the server itself may keep in a slot, which names the stream."""

    def slot_in(self, stream: str) -> str | None:
        """Return the name of the slot of a stream; None where the server has none."""


@runtime_checkable
class MovesPositions(Protocol):
    """Class of a source whose watermark is a set of positions, which a person moves one by one or by time."""

    def set_to(self, stream: str, old: Watermark, values: Sequence[str], *, whole: bool) -> Watermark:
        """Return a watermark at other positions.

        Args:
            stream: for errors.
            old: the current watermark.
            values: positions as texts.
            whole: whether they replace all; else those that are not named stay.

        Raises:
            ConfigurationError: one is no position.
        """

    def rewound(self, stream: str, mark: Watermark | None, to: str | None, by: str | None) -> Watermark:
        """Return a watermark that lies further back; see `directory.moves.Rewind`.

        Raises:
            ConfigurationError: it can't be moved that way.
        """


@runtime_checkable
class NamedByServer(Protocol):
    """Arguments of a source whose stream is named by what its server has, which only a run knows."""

    def possible_names(self) -> tuple[str, ...]:
        """Return the names that the stream may have, as far as known without a task."""

    def behind(self, database: Database) -> SourceSpec:
        """Return the arguments with what a database has.

        Args:
            database: of the connection; nothing is queried.
        """


class OneTopic:
    """Shared behaviour of most sources: each stream goes to one topic, through an envelope of the registry."""

    remedies: ClassVar[Mapping[str, str]] = MappingProxyType({})
    row_security: str = FAIL

    @property
    def without_key(self) -> bool:
        """See `SourceSpec.without_key`."""
        return False

    def fixed_topics(self, topic: str) -> tuple[str, ...]:
        """See `SourceSpec.fixed_topics`."""
        return (topic,)

    def envelope(self, given: str | Envelope | None) -> Envelope:
        """See `SourceSpec.envelope`."""
        return make_envelope(given or DEFAULT_ENVELOPE)

    def lock_of(self, database: Database) -> str | None:  # noqa: ARG002
        """See `SourceSpec.lock_of`."""
        return None

    @classmethod
    def check_move(cls, stream: str, facts: Mapping[str, Any] = NO_FACTS) -> None:
        """See `SourceSpec.check_move`."""

    @classmethod
    def check_accept(cls, stream: str, accepted: Collection[str]) -> None:
        """See `SourceSpec.check_accept`."""
