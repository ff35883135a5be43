"""What a reader keeps of the log beside its position."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_sets import GtidSet
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_states import GtidState
from airflow_legacy_events.databases.mysql.changelog.transactions.transaction import (
    PREPARED,
    XA_COMMITTED,
    XA_ROLLED_BACK,
    Transaction,
)

GTIDS, RANGES, COUNTED, PASSING = "gtids", "prepared", "counted", "passing"
BEFORE = ""
"""Range of a prepared transaction that lies before the place where the stream began: its rows are in every snapshot."""

ANY = "*"
"""Stands for all prepared transactions that are not known, where none of them has rows of the stream's tables."""

_MARIADB = re.compile(r"\s*[0-9]+-[0-9]+-[0-9]+", re.ASCII)


class Gtids:
    """The transactions that were read, by their GTIDs.

    Args:
        text: as the server writes it; that of MariaDB has the last one of each server in each domain.
    """

    def __init__(self, text: str) -> None:
        self._found = _parsed(text)

    def add(self, name: str) -> None:
        """Add a transaction."""
        if not self._found:
            self._found = _parsed(name)
        else:
            self._found.add_name(name)

    def __contains__(self, name: str) -> bool:
        return bool(self._found) and name in self._found

    def hold(self, others: GtidSet | GtidState) -> bool:
        """Whether all of these are in it."""
        if isinstance(self._found, GtidState):
            return isinstance(others, GtidState) and not others.missing(self._found)
        return isinstance(others, GtidSet) and not others.missing(self._found)

    def __str__(self) -> str:
        return str(self._found)


def _parsed(text: str) -> GtidSet | GtidState:
    return GtidState.of(text) if _MARIADB.match(text) else GtidSet.of(text)


@dataclass
class State:
    """Facts of the log at a position.

    Attributes:
        gtids: executed before it; None if they are not known.
        prepared: `file:start-end` of each XA transaction that is prepared, by its name; `BEFORE` for others, see there.
        counted: of the transaction that was delivered in part: its name, and the tables that number it.
        passing: on another server after a failover: the GTIDs that were executed there and before, as text, and the
            place up to which transactions among them are passed over.
    """

    gtids: Gtids | None = None
    prepared: dict[str, str] = field(default_factory=dict)
    counted: tuple[str, frozenset[TableName]] | None = None
    passing: tuple[str, str] | None = None

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> State:
        """Return the state that facts of a watermark hold."""
        gtids, counted, passing = facts.get(GTIDS), facts.get(COUNTED), facts.get(PASSING)
        return cls(
            None if gtids is None else Gtids(gtids),
            dict(facts.get(RANGES) or {}),
            None if counted is None else (counted["name"], frozenset(TableName(*one) for one in counted["tables"])),
            None if passing is None else (passing["gtids"], passing["until"]),
        )

    def facts(self) -> dict[str, Any]:
        """Return the facts, as plain JSON."""
        counted, passing = self.counted, self.passing
        found: dict[str, Any] = {RANGES: dict(self.prepared)}
        if self.gtids is not None:
            found[GTIDS] = str(self.gtids)
        found[COUNTED] = None if counted is None else {"name": counted[0], "tables": sorted(map(list, counted[1]))}
        found[PASSING] = None if passing is None else {"gtids": passing[0], "until": passing[1]}
        return found

    def is_before(self, xid: str) -> bool:
        """Whether an XA transaction has no change that a stream delivers: it was prepared before the stream began."""
        return self.prepared.get(xid, self.prepared.get(ANY)) == BEFORE

    def passed(self, one: Transaction) -> None:
        """Note that a transaction lies before the position now."""
        if one.gtid is not None and self.gtids is not None:
            self.gtids.add(one.gtid)
        if one.xid is None:
            return
        if one.outcome == PREPARED:
            self.prepared[one.xid] = f"{one.place.file}:{one.place.position}-{one.end.position}"
        elif one.outcome in (XA_COMMITTED, XA_ROLLED_BACK):
            self.prepared.pop(one.xid, None)


def pending_in(facts: Mapping[str, Any]) -> list[str]:
    """Return the names of the XA transactions whose ranges the facts of a watermark hold."""
    return [name for name, found in (facts.get(RANGES) or {}).items() if found != BEFORE]
