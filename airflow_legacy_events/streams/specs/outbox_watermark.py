"""Watermarks of outboxes, as a person sees and moves them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.streams.specs.base import NO_FACTS
from airflow_legacy_events.streams.specs.query import QuerySpec

KEEP = "keep"


class OutboxWatermark:
    """What may be done with the watermark of an outbox; one whose rows are kept is a position, like that of a query."""

    @classmethod
    def check_facts(cls, stream: str, facts: Mapping[str, Any]) -> None:
        """See `SourceSpec.check_facts`."""
        from airflow_legacy_events.sources.kept_outbox.facts import check_kept_facts  # noqa: PLC0415  loads SQLAlchemy
        from airflow_legacy_events.sources.outbox.facts import check_outbox_facts  # noqa: PLC0415

        (check_kept_facts if facts.get("mode") == KEEP else check_outbox_facts)(stream, facts)

    @classmethod
    def check_move(cls, stream: str, facts: Mapping[str, Any] = NO_FACTS) -> None:
        """See `SourceSpec.check_move`."""
        if facts.get("mode") == KEEP:
            return
        raise ConfigurationError(
            f"the watermark of stream {stream!r} can't be moved: an outbox has no position, each open row is read by"
            " the next run. To send rows again, replay a window of their timestamp, or empty their mark in the table"
        )

    @classmethod
    def check_accept(cls, stream: str, accepted: Collection[str]) -> None:
        """See `SourceSpec.check_accept`."""

    @classmethod
    def left_by(cls, facts: Mapping[str, Any], stream: str, given: Mapping[str, Any]) -> QuerySpec:
        """See `SourceSpec.left_by`; of a kept outbox, rows are counted as those of a query."""
        if facts.get("mode") != KEEP:
            raise ConfigurationError(
                f"the rows of stream {stream!r} can't be counted: what waits in an outbox does not follow from its"
                " watermark, each row is its own state. The report of its last run says what was left, under backlog"
            )
        if facts.get("where") and not given.get("sql"):
            raise ConfigurationError(
                f"the rows of stream {stream!r} can't be counted: its watermark does not hold the condition in where=."
                " Give --sql with a SELECT that has it"
            )
        return QuerySpec.left_by(facts, stream, given)
