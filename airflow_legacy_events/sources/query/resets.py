"""Resets: how a stream continues after its table was reset below the watermark."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.model import Watermark, listed
from airflow_legacy_events.sources.query.horizons.kept import without_horizon
from airflow_legacy_events.sources.query.standing import IdsReturnedError, TableResetError

_DONE = {
    "restart": "the table is sent as it is now, from its beginning, as generation {generation}",
    "keep": "continuing above the watermark; rows below it are not read",
}


class Decision(NamedTuple):
    """Decision where a run continues after a reset.

    Attributes:
        at: the watermark to continue from.
        facts: to be recorded.
        note: for the completeness reason.
        reported: for the report; None if there is nothing to report.
    """

    at: Watermark
    facts: Mapping[str, Any]
    note: str = ""
    reported: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Resets:
    """Decides by the user's rule.

    Attributes:
        stream: name of the stream, for messages.
        what: the table or query, for messages.
        on_reset: `fail`, `restart` or `keep`.
    """

    stream: str
    what: str
    on_reset: str
    log: logging.Logger

    def decide(self, at: Watermark, found: TableResetError) -> Decision:
        """Return where to continue after a reset.

        Raises:
            WatermarkError: with `fail`; nothing was read.
        """
        if self.on_reset == "fail":
            raise WatermarkError(self._refusal(found)) from None
        generation = generation_of(at.facts) + (1 if self.on_reset == "restart" else 0)
        done = _DONE[self.on_reset].format(generation=generation)
        self.log.warning("%s was set back below the watermark of stream %s: %s", self.what, self.stream, done)
        reported = {"highest": listed(found.highest), "watermark": listed(at.values), "action": self.on_reset}
        note = f"the table was set back below the watermark; {done}"
        if self.on_reset == "keep":
            return Decision(without_horizon(at), {}, note, reported)
        return Decision(*self._anew(at, (), generation), note, reported)

    def go_on(self, at: Watermark, found: IdsReturnedError) -> Decision:
        """Return where to continue if ids of deleted rows are reused: above the highest known row.

        If none is known, all rows may be new: they are sent, unless `on_reset` is `keep`.
        """
        if found.highest is not None:
            policy = "keep" if self.on_reset == "keep" else "restart"
            return replace(self, on_reset=policy).decide(at, TableResetError(str(found), found.highest))
        generation = generation_of(at.facts) + 1
        self.log.info(
            "the newest rows of %s were deleted, and their ids are reused: rows above the remaining ones are sent as"
            " generation %d",
            self.what,
            generation,
        )
        return Decision(*self._anew(at, found.known, generation))

    def _anew(self, at: Watermark, values: tuple[str, ...], generation: int) -> tuple[Watermark, dict[str, Any]]:
        facts = {"generation": generation, "reset": {"values": listed(at.values)}}
        return Watermark(values, None, {**_numbered(at.facts), **facts}), facts

    def _refusal(self, found: TableResetError) -> str:
        grant = f" ({found.grant})" if found.grant else ""
        return (
            f"{self.what} was set back below the watermark of stream {self.stream!r}: {found.why}{grant}, so rows that"
            " were never sent may be below it; nothing was read. Send the table as it is now with on_reset='restart',"
            " continue above the watermark with on_reset='keep', read again from an earlier position with"
            f" {command('rewind', self.stream, '--to', 'VALUE')}, or start over with {command('forget', self.stream)}."
            " The last two give rows the event ids of a first send: consumers that remember ids may mistake other rows"
            " for those that they know"
        )


def generation_of(facts: Mapping[str, Any]) -> int:
    """Return how often the stream's table was resent."""
    return int(facts.get("generation") or 0)


def _numbered(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Keep counting passes: a version that is sent again must not get the event id of another one."""
    nulls = facts.get("nulls")
    return {"nulls": {"number": nulls["number"], "done": True}} if nulls else {}
