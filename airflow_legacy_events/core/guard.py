"""Guard: checks that a stored watermark belongs to the run that is about to use it."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError

_PARAMETERS = re.compile(r"\([^)]*\)")
_REMEDIES: Mapping[str, str] = {
    "topic": "a new topic is a new stream: leave stream= unset or give it another name. To continue on the new topic"
    " instead, {accept}",
    "cluster": "point broker_conn_id back to the first cluster, or give the stream another name with stream=",
    "kind": "give the stream another name with stream=",
}
"""Remedies for facts that every source has."""


def check(
    stream: str, stored: Mapping[str, Any], found: Mapping[str, Any], remedies: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Check that every fact with a remedy is the same on both sides, where both know it.

    Args:
        stream: whose watermark it is.
        stored: facts of the watermark.
        found: facts of this run.
        remedies: of the facts that the source compares, by name; they override those of every source. `{accept}`
            stands for the command that accepts the new value.

    Raises:
        WatermarkError: names both values and the remedies.
    """
    for fact, remedy in {**_REMEDIES, **remedies}.items():
        if stored.get(fact) is None or found.get(fact) is None or stored[fact] == found[fact]:
            continue
        raise WatermarkError(
            f"the watermark of stream {stream!r} was written for {fact} {stored[fact]!r}, this run has {found[fact]!r};"
            f" nothing was read. {remedy.format(accept=_accepting(stream, fact))}; or start over with"
            f" {command('forget', stream)}"
        )


def _accepting(stream: str, fact: str) -> str:
    return command("set", stream, "--accept-server") if fact == "server" else command("set", stream, "--accept", fact)


def check_alone(stream: str, stored: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Check that no other index of the same mapped task has moved the stream for another query in this run.

    Templated parts are not in a query's fingerprint, since they may change with every run. Within one run they are
    what distinguishes the indexes of a mapped task.

    Raises:
        WatermarkError: names the other index and the remedy.
    """
    run = ("dag", "task", "run")
    if any(stored.get(fact) is None or stored[fact] != found.get(fact) for fact in run):
        return
    if any(stored.get(fact) in (None, found.get(fact)) for fact in ("map_index", "rendered")):
        return
    raise WatermarkError(
        f"stream {stream!r} was moved in this run by map index {stored['map_index']} of the same task, for another"
        f" query than that of map index {found.get('map_index')}: rows of one that lie below the watermark of the other"
        ' are never sent; nothing was read. Name each one\'s stream with stream="…{{ … }}" by what the task is mapped'
        f" over, and start those streams over; what this one holds is shown by {command('show', stream)}"
    )


def check_types(stream: str, stored: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Check that the watermark and key columns still have the types recorded in the stored watermark.

    A length or precision may change. After a change of type the stored text would be compared as the new type.

    Raises:
        WatermarkError: names the column and both types.
    """
    before = dict(stored.get("columns") or ())
    for name, type_ in found.get("columns") or ():
        if name in before and _bare(before[name]) != _bare(type_):
            raise WatermarkError(
                f"column {name!r} is part of the watermark of stream {stream!r} and was {before[name]}, now it is"
                f" {type_}; nothing was read. Give the stream another name with stream= and begin it where this one"
                f" ended with first_run=<value>; or start over with {command('forget', stream)}"
            )


def same(
    stored: Mapping[str, Any], found: Mapping[str, Any], remedies: Mapping[str, str] = MappingProxyType({})
) -> bool:
    """Whether the progress of a replay belongs to the same rows and topic; arguments as in `check`."""
    try:
        check("", stored, found, remedies)
        check_types("", stored, found)
    except WatermarkError:
        return False
    return True


def _bare(type_: str) -> str:
    return _PARAMETERS.sub("", type_).strip().lower()


def warn_of_others(log: logging.Logger, stream: str, stored: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Warn if another dag or task moved the stream before."""
    for fact in ("dag", "task"):
        if None not in (stored.get(fact), found.get(fact)) and stored[fact] != found[fact]:
            log.warning("stream %s was last moved by %s %r, this run has %r", stream, fact, stored[fact], found[fact])
