"""Assembling the parts of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from airflow_legacy_events.sources.changelog.anew import Gaps
from airflow_legacy_events.sources.changelog.arguments import ChangeLogArguments
from airflow_legacy_events.sources.changelog.batches import Changes
from airflow_legacy_events.sources.changelog.completing import Completion
from airflow_legacy_events.sources.changelog.draining import Budget, Drain
from airflow_legacy_events.sources.changelog.evolution import Evolution
from airflow_legacy_events.sources.changelog.leg_state import Progress
from airflow_legacy_events.sources.changelog.legs import Legs
from airflow_legacy_events.sources.changelog.run import LogRun
from airflow_legacy_events.sources.changelog.tables import LoggedTable, Tables
from airflow_legacy_events.sources.changelog.topic_ids import same_topics
from airflow_legacy_events.sources.changelog.transactions import Transactions
from airflow_legacy_events.sources.changelog.truncating import Truncations
from airflow_legacy_events.sources.changelog.unchanged import Unchanged


def assembled(
    source: ChangeLogArguments,
    lookup: Tables,
    tables: dict[str, LoggedTable],
    progress: Progress,
    *,
    stored: Mapping[str, Any],
    joining: Sequence[str],
    target: str,
) -> LogRun:
    """Return the run of a source, after a look at the catalog for what the log has not shown, or never will.

    Args:
        source: whose arguments decide.
        lookup: describes tables.
        tables: of the stream.
        progress: of the stream.
        stored: facts of the watermark.
        joining: tables that are new to the log.
        target: place where the run ends.

    Raises:
        CompletenessError: the run must be complete, and something happened that the log does not hold.
    """
    log, logger = source.change_log, source.log
    gaps = Gaps(source.stream.name, exact=source.completeness == "exact", log=logger)
    evolution = Evolution(lookup, log, gaps, source.on_schema_change, logger)
    truncations = Truncations(source.on_truncate, gaps, logger, marked=source.marks_snapshots)
    before = source.images == "both"
    unchanged = Unchanged(source.on_truncate, logger)
    changes = Changes(
        *(tables, progress, log),
        before=before,
        evolution=evolution,
        truncations=truncations,
        gaps=gaps,
        unchanged=unchanged,
        completion=Completion(lookup),
        messages=source.messages,
    )
    if progress.position is not None:
        hidden = (progress.position.place, 0, None, None)
        for name, one in progress.tables.items():
            evolution.look(tables[name], one, hidden)
        for changed, whys in log.untold(stored).items():
            for why in whys if (name := str(changed)) in tables else ():
                gaps.met(tables[name], progress.tables[name], hidden, why, removed=True)
    topics = {name: one.stream["topic"] for name, one in tables.items()}
    transactions = Transactions(source.transaction_topic, log, progress)
    drain = Drain(log, changes, transactions, progress, Budget(source.limits, source.clock))
    legs = Legs(
        log=log,
        lookup=lookup,
        tables=tables,
        drain=drain,
        changes=changes,
        truncations=truncations,
        logger=logger,
        seconds=source.leg_seconds,
        bytes=source.leg_bytes,
        marks=source.marks_snapshots,
        clock=source.clock,
        sleep=source.wait,
    )
    return LogRun(
        log=log,
        lookup=lookup,
        tables=tables,
        progress=progress,
        drain=drain,
        legs=legs,
        joining=joining,
        target=target,
        left_out=[one for one in tables if source.first_run == "now" and one not in source.snapshot],
        compacted=(unchanged.compacted, truncations.compacted),
        same_topics=partial(same_topics, source.stream.name, stored, topics, progress, logger),
    )
