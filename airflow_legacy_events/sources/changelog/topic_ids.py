"""Identities of the topics of a log: one that was deleted and made again lacks what was delivered to it before.

A log can't be read again, so only a new snapshot of the table fills such a topic.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.sources.changelog.checks import reading_anew
from airflow_legacy_events.sources.changelog.facts import TOPIC_IDS
from airflow_legacy_events.sources.changelog.leg_state import Progress


def same_topics(
    stream: str,
    stored: Mapping[str, Any],
    topics: Mapping[str, str],
    progress: Progress,
    log: logging.Logger,
    found: Mapping[str, str],
) -> dict[str, Any]:
    """Return the fact of the topics as they are now.

    Args:
        stream: name of the stream, for messages.
        stored: facts of the watermark.
        topics: of each table.
        progress: of the stream.
        log: of the task.
        found: identity of each topic of the run, as far as it is known.

    Raises:
        WatermarkError: a topic was made again, and its table is not read again from its first row.
    """
    before: Mapping[str, str] = stored.get(TOPIC_IDS) or {}
    remade = [one for one, identity in found.items() if before.get(one, identity) != identity]
    lacking = [name for name, one in topics.items() if one in remade and not _sends_everything(progress, name)]
    if lacking:
        raise _lacking(stream, [topics[one] for one in lacking], lacking)
    if others := [one for one in remade if one not in topics.values()]:
        log.warning(
            "topic %s was deleted and made again: what was delivered to it before is not on it, and can't be sent"
            " again",
            ", ".join(map(repr, others)),
        )
    return {TOPIC_IDS: {**{one: before[one] for one in topics.values() if one in before}, **found}}


def _sends_everything(progress: Progress, name: str) -> bool:
    one = progress.tables.get(name)
    return one is None or one.silent or one.passing


def _lacking(stream: str, topics: Sequence[str], tables: Sequence[str]) -> WatermarkError:
    return WatermarkError(
        f"topic {', '.join(map(repr, topics))} was deleted and made again: the changes of {', '.join(tables)} that were"
        " delivered before are not on it; nothing was read.\nTo send the rows as they are now, run with the"
        f" configuration {reading_anew(*tables)}\nTo continue without them: {command('set', stream, '--accept topic')}"
    )
