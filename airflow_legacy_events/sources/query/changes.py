"""Changes of the query or its columns since the watermark was written, handled by the user's rules."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.core import guard
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.model import Watermark, listed
from airflow_legacy_events.sources.query.facts import REMEDIES
from airflow_legacy_events.sources.query.horizons.kept import without_horizon

_DEFINED_BY = {"query": "query or table", "definition": "definition of its view"}
"""Facts that identify a query or view, and their names in messages."""


@dataclass(frozen=True)
class Changes:
    """Compares the facts of a stored watermark with those of this run.

    Attributes:
        stream: name of the stream, for messages.
        what: the table or query, for messages.
        on_query_change: `fail`, `keep` or `reset`.
        on_schema_change: `evolve` or `fail`.
        log: of the task.
        first_query: version 1 fingerprint of the query, which watermarks of earlier releases hold.
    """

    stream: str
    what: str
    on_query_change: str
    on_schema_change: str
    log: logging.Logger
    first_query: str

    def judge(self, at: Watermark, found: Mapping[str, Any]) -> tuple[Watermark, bool, dict[str, Any]]:
        """Return the watermark to continue from, whether a change must still be recorded, and facts to record.

        Raises:
            WatermarkError: the user does not allow the change; nothing was read.
        """
        since, nothing = "since the last run", "Nothing was read"
        reshaped = self._judge_shape(at.facts.get("shape"), found["shape"], since=since, nothing=nothing)
        for fact, what in _DEFINED_BY.items():
            before, after = at.facts.get(fact), found.get(fact)
            if before is not None and after is not None and before not in (after, self.first_query):
                return self._judge_query(at, what, str(before), str(after))
        return at, reshaped, {}

    def judge_during(self, before: Mapping[str, Any], found: Mapping[str, Any]) -> None:
        """Accept columns that changed while a run read them; arguments are facts of the run.

        Raises:
            WatermarkError: the user does not allow it, or a watermark or key column has a different type.
        """
        guard.check(self.stream, before, found, REMEDIES)
        guard.check_types(self.stream, before, found)
        self._judge_shape(
            before["shape"], found["shape"], since="during this run", nothing="No row of that page was sent"
        )

    def _judge_query(self, at: Watermark, what: str, before: str, after: str) -> tuple[Watermark, bool, dict[str, Any]]:
        if self.on_query_change == "fail":
            raise WatermarkError(
                f"the watermark of stream {self.stream!r} was written for another {what} (fingerprint {before}, now"
                f" {after}), so rows below it may never have been selected; nothing was read. Restore it, continue from"
                " the watermark with on_query_change='keep', start over with on_query_change='reset', or give the"
                " stream another name with stream="
            )
        line = f"stream %s: the {what} changed (fingerprint %s, now %s); %s"
        if self.on_query_change == "keep":
            self.log.warning(line, self.stream, before, after, "continuing from the watermark")
            return without_horizon(at), True, {}  # others may write the rows of another query
        self.log.warning(line, self.stream, before, after, "starting over, as a first run")
        reset = {"query": before, "values": listed(at.values)}
        return Watermark(None, None, _counted(at.facts)), True, {"reset": reset}

    def _judge_shape(self, before: Sequence[Any] | None, after: Sequence[Any], *, since: str, nothing: str) -> bool:
        differences = [] if before is None else _differences(before, after)
        if not differences:
            return False
        changed = f"the columns of {self.what} changed {since} of stream {self.stream!r}: " + "; ".join(differences)
        if self.on_schema_change == "fail":
            raise WatermarkError(
                f"{changed}. {nothing}. Restore them, or take the new columns with on_schema_change='evolve'"
            )
        self.log.warning("%s", changed)
        return True


def _differences(before: Sequence[Any], after: Sequence[Any]) -> list[str]:
    """Return the differences in words, column by column, ignoring their order."""
    old = {name: _spelled(type_, nullable) for name, type_, nullable in before}
    new = {name: _spelled(type_, nullable) for name, type_, nullable in after}
    return [
        *(f"{name!r} ({new[name]}) is new" for name in new if name not in old),
        *(f"{name!r} ({old[name]}) is gone" for name in old if name not in new),
        *(f"{name!r} was {old[name]}, is {new[name]}" for name in new if name in old and old[name] != new[name]),
    ]


def _spelled(type_: str, nullable: bool) -> str:  # noqa: FBT001  read from a list of three
    return type_ if nullable else f"{type_} not null"


def _counted(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Keep counting loads and generations: rows sent again must not get the event id of another version."""
    kept = {name: dict(facts[name]) for name in ("load", "nulls") if facts.get(name)}
    passes = {name: {"number": one["number"], "done": True} for name, one in kept.items()}
    return passes | ({"generation": facts["generation"]} if facts.get("generation") else {})
