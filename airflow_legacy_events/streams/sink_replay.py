"""Replays of a topic: older messages beside a live stream must not go over newer rows."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import RunMode
from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.streams.specs.topic import TopicSpec


def refuse_plain_replay(spec: TopicSpec, stream: str, mode: RunMode) -> None:
    """Check that a replay is possible with these arguments.

    Raises:
        ConfigurationError: it is not, with what would make it so.
    """
    if mode.topic is not None:
        raise ConfigurationError(
            "the run's configuration names a topic for its replay, but this task reads topics and sends none; nothing"
            ' was read. Leave "topic" out'
        )
    if not spec.replayable:
        raise ConfigurationError(
            f"a replay into table {spec.table!r} would let older rows go over newer ones; nothing was read."
            "\nSet replay_table=, which it goes into, or version_column=, by which a newer row stays; with"
            " mode='append', metadata_columns=['event_id'] on a unique column."
            f"\nTo apply all messages from a time to the end again: {command('rewind', stream, '--by 7d')}"
        )


def refuse_repeats(spec: TopicSpec, shapes: Mapping[str, TargetShape]) -> None:
    """Check that each table that is only appended to has a unique event id, by which repeats are known.

    Raises:
        ConfigurationError: one has none.
    """
    if spec.mode != "append":
        return
    for name, shape in shapes.items():
        nullable = [shape.columns[at].name for at in shape.repeats if shape.columns[at].nullable]
        if not shape.repeats or nullable:
            why = f"{nullable[0]!r} takes NULL" if nullable else "it has no unique index on its column of event ids"
            raise ConfigurationError(
                f"a replay into table {name!r} may append rows twice: {why}; nothing was read."
                "\nMake that column NOT NULL and unique, or set replay_table="
            )
