"""The decoding step: batches of messages become changes of tables. In a relay it stands where the envelope stands."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Batch, Stream
from airflow_legacy_events.core.model.changes import TRUNCATE, Changes, Received, TargetShape
from airflow_legacy_events.core.ports.decoder import Decoder, NotUnderstoodError
from airflow_legacy_events.core.ports.target import Target
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.envelopes.decoding.fast.finders import finder_of
from airflow_legacy_events.envelopes.decoding.options import DecodingOptions
from airflow_legacy_events.envelopes.decoding.routes import Routes
from airflow_legacy_events.envelopes.decoding.snapshots import Snapshots
from airflow_legacy_events.envelopes.decoding.step import Step
from airflow_legacy_events.envelopes.decoding.tables import Tables

Truncates: TypeAlias = Callable[[Received], Sequence[tuple[int, str | None]]]
"""Finds the truncates among messages: place and event id of each."""

_OP, _TRUNCATE, _TRUNCATED = "op", b"t", b'"t"'


class Decoding:
    """Decodes the batches of a run. Used by one thread at a time.

    Args:
        decoder: of the messages' envelope.
        target: of the tables, which it looks up and may alter, in sessions of the target's own.
        options: of the user, checked.
        log: of the task.
    """

    def __init__(
        self, decoder: Decoder, target: Target, options: DecodingOptions, *, log: logging.Logger | None = None
    ) -> None:
        log = log or logging.getLogger(__name__)
        self._decoder, self._target, self._options = decoder, target, options
        self._own = finder_of(decoder) is not None
        self._everywhere = bool(getattr(decoder, "truncates_everywhere", False))
        self._routes = Routes(options.table, options.allowed_tables)
        self._tables = Tables(decoder, target, options, log)
        self._snapshots = Snapshots(log)

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that are known before any message."""
        return self._routes.fixed

    @property
    def truncates(self) -> Truncates | None:
        """What finds truncates that come on every partition of their topic; None if they are not to be applied."""
        return self._find_truncates if self._options.on_truncate == "apply" and self._everywhere else None

    def open(self) -> Mapping[str, TargetShape]:
        """Look up the tables that are known before any message, and report their warnings.

        Returns the shapes of those that are there; the others are made by their first message.

        Raises:
            ConfigurationError: one is missing, or can't be written to as the user wants; lists all that is wrong.
            TargetError: the target can't be reached.
        """
        problems, found = Problems(), dict[str, TargetShape | None]()
        for name in self.tables:
            with problems.collect():
                found[name] = self._tables.look_up(name)
        problems.raise_found()
        return {name: shape for name, shape in found.items() if shape is not None}

    def resume(self, met: Mapping[str, Any]) -> None:
        """Continue from what earlier messages added to the watermark; see `Changes.facts`."""
        self._snapshots.resume(met)

    def check_partitions(self, partitions: Mapping[str, int]) -> None:
        """Check that truncates can be applied.

        Args:
            partitions: number of them, by topic.

        Raises:
            ConfigurationError: they come on one partition only, and a topic has several.
        """
        several = [topic for topic, count in partitions.items() if count > 1]
        if self._options.on_truncate == "apply" and several and not self._everywhere:
            raise ConfigurationError(
                "on_truncate='apply' is not possible here; use 'fail' or 'skip'. With this envelope a truncate comes on"
                f" one partition only, and topic {several[0]!r} has {partitions[several[0]]}: rows of the others might"
                " be older or newer than it"
            )

    def compile(self, shape: Shape, stream: Stream) -> Callable[[Batch], Changes]:  # noqa: ARG002  see `Envelope`
        """Return what decodes the batches of a topic; their rows are `Received`."""
        return Step(self._decoder, self._options, self._routes, self._tables, self._snapshots, self._target.identity_of)

    def lowered(self) -> tuple[str, str] | None:
        """Return completeness and reason, if messages lowered it; else None."""
        return self._snapshots.lowered()

    def _find_truncates(self, received: Received) -> Sequence[tuple[int, str | None]]:
        found = []
        for at in range(len(received)):
            if self._own and not _may_truncate(received, at):
                continue
            try:
                meaning = self._decoder.read(received, at)
            except NotUnderstoodError:
                continue
            if meaning is not None and meaning.op == TRUNCATE:
                found.append((at, meaning.id))
        return found


def _may_truncate(received: Received, at: int) -> bool:
    """Whether a message has the operation `t`, in its value or a header; reading each would take long."""
    value = received.values[at]
    if value is not None and _TRUNCATED in value:
        return True
    return any(name.endswith(_OP) and one == _TRUNCATE for name, one in received.headers[at])
