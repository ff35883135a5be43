"""What a consumer of a change log's topics makes of them, and whether the history of each key says so too."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.topics import Message

Change = tuple[str, int | None]
"""Op and version; a `d` has none."""


@dataclass
class Seen:
    """Messages on the topics, in the order in which each first came.

    Attributes:
        values: by topic and event id.
        keys: events by table and key.
        rows: what a consumer has of each table: rows by key.
        may_repeat: topics and ids of messages that no saved watermark covers.
        repeats: messages that came again.
    """

    values: dict[tuple[str, str], str | None] = field(default_factory=dict)
    keys: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    rows: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    may_repeat: set[tuple[str, str]] = field(default_factory=set)
    repeats: int = 0

    def take(self, found: Sequence[tuple[str, Message]], covered: Mapping[str, int]) -> None:
        """Take the messages of one run; those that came before must be equal, and not covered by a save."""
        ids: dict[str, list[str]] = defaultdict(list)
        for topic, message in found:
            event = message.event
            id_ = event["id"]
            assert id_ not in ids[topic], f"one run sent {id_} twice"
            ids[topic].append(id_)
            self._keep(topic, id_, message, event)
        for topic, sent in ids.items():
            count = covered.get(topic, 0)
            self.may_repeat |= {(topic, id_) for id_ in sent[count:]}
            self.may_repeat -= {(topic, id_) for id_ in sent[:count]}

    def _keep(self, topic: str, id_: str, message: Message, event: dict[str, Any]) -> None:
        name = topic.rsplit(".", 1)[1]
        key = str(message.key) if name != "names" else "/".join(map(str, json.loads(str(message.key))))
        event["v"] = (event["data"] or {}).get("v") if event["op"] != "d" else None
        if event["op"] == "d":
            self.rows[name].pop(key, None)
        else:
            held = self.rows[name].get(key, {}) if event["op"] == "u" else {}
            self.rows[name][key] = {**held, **event["data"]}
        if (topic, id_) in self.values:
            assert self.values[topic, id_] == message.value, f"{id_} came again with another value"
            assert (topic, id_) in self.may_repeat, f"{id_} came again, and a saved watermark covers it"
            self.repeats += 1
            return
        event["message"] = topic, id_
        self.values[topic, id_] = message.value
        self.keys[name, key].append(event)

    def check_rows(self, name: str, expected: Mapping[str, Mapping[str, Any]]) -> None:
        """Check that a consumer of a table's topic has its rows."""
        found = self.rows[name]
        assert found.keys() == expected.keys(), f"{name}: {found.keys() ^ expected.keys()}"
        for key, row in expected.items():
            assert {column: found[key].get(column) for column in row} == row, f"{name} {key}"

    def check_history(self, changes: Sequence[tuple[str, str, str, int | None]]) -> None:
        """Check that each event was committed, in the order of its key, and that none is missing behind a key's row.

        Args:
            changes: table, key, op and version of each committed change, those of a key in their order.
        """
        history: dict[tuple[str, str], list[Change]] = defaultdict(list)
        for name, key, op, version in changes:
            history[name, key].append((op, version))
        committed = {version for entries in history.values() for _, version in entries} | {None}
        for of_key, events in self.keys.items():
            found = [(one["op"], one["v"]) for one in events]
            assert {version for _, version in found} <= committed, f"{of_key}: an event was never committed"
            entries = iter(history[of_key])
            sent = [one for one in found if one[0] != "r"]
            assert all(one in entries for one in sent), f"{of_key}: {sent} is not in the order of its history"
            rows = [at for at, one in enumerate(events) if one["op"] == "r"]
            row = events[rows[-1]] if rows else None
            saved = row is not None and row["message"] not in self.may_repeat
            at = rows[-1] + 1 if rows else 0
            due = since(history[of_key], row["v"] if row else None)
            lost = 0 if saved else self._unsaved(events[at:])
            said = f"{of_key}: {found[at:]} followed its row, and not {due}; it was sent as {found}, saved: {saved}"
            assert follows(found[at:], due, whole=saved, unsaved=lost), said

    def _unsaved(self, events: Sequence[dict[str, Any]]) -> int:
        """Return how many of the first events no saved watermark covers."""
        covered = (at for at, one in enumerate(events) if one["message"] not in self.may_repeat)
        return next(covered, len(events))


def since(history: Sequence[Change], version: int | None) -> list[Change]:
    """Return what happened to a key behind the row with this version; everything if there is none."""
    places = [at for at, (_, one) in enumerate(history) if version is not None and one == version]
    return [*history[places[-1] + 1 if places else 0 :]]


def follows(sent: Sequence[Change], due: Sequence[Change], *, whole: bool, unsaved: int = 0) -> bool:
    """Whether what was sent of a key behind its last row is what was due.

    Args:
        sent: op and version of each event.
        due: of each change.
        whole: whether that row was saved. Otherwise the key may not be read yet: then its deletes alone are sent, all
            of them, until a snapshot that does not have it has passed it. A broker may answer after its client died,
            so a row that was saved may look as if it was not.
        unsaved: how many of the first events a run may have sent that was killed before it saved: it may have read the
            key, or passed its place without one, while the next run begins before both.
    """
    if whole or list(sent) == list(due):
        return list(sent) == list(due)
    return any(
        _unread(sent[at:], due[behind:])
        for at in range(unsaved + 1)
        for behind in range(at, len(due) + 1)
        if list(sent[:at]) == list(due[:behind]) or (at and _unread(sent[:at], due[:behind]))
    )


def _unread(sent: Sequence[Change], due: Sequence[Change]) -> bool:
    """Whether these are the changes that are sent of a key that is not read yet."""
    deletes = next((at for at, one in enumerate(sent) if one[0] != "d"), len(sent))
    tail = list(sent[deletes:])
    head = list(due[: len(due) - len(tail)])
    if [*head, *tail] != list(due) or (tail and tail[0][0] != "c") or (head and head[-1][0] != "d"):
        return False
    return deletes <= sum(one[0] == "d" for one in head)
