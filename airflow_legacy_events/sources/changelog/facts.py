"""Facts that a change log source records with every watermark, as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.facts import Form, are_texts, check_facts, is_text
from airflow_legacy_events.core.model import LogPosition, Watermark
from airflow_legacy_events.sources.changelog.leg_state import (
    LEGS,
    STATES,
    TABLES,
    OpenTransaction,
    Progress,
    TableProgress,
)

KIND = "log"
TOPIC_IDS = "topic_ids"
_VALUES = 2


def source_facts(source: str) -> dict[str, Any]:
    """Return the facts of the source itself.

    `kind` · `source` the connection's name. `ChangeLog.facts` adds those of the log: `server`, `slot` and the like.
    Each watermark adds `tables`, the progress of each by `schema.table`; see `TableProgress` · `waiting` numbers of
    transactions that the log has shown and queries may not see yet · `gone` number of the last snapshot of each table
    that was sent and is read no longer · `transaction` that is sent in part: `place`, `name`, `time` and `counts`
    of its events by table; only inside one, and where transactions have a topic · `topic_ids` identity of each topic.
    """
    return {"kind": KIND, "source": source}


def check_log_facts(stream: str, facts: Mapping[str, Any]) -> None:
    """Check that the facts of a watermark can be understood.

    Raises:
        WatermarkError: names the first that can't.
    """
    check_facts(stream, facts, _FORMS)


def progress_of(stream: str, at: Watermark | None) -> Progress:
    """Return the progress that a watermark holds; without one, that of a stream that has not begun.

    Raises:
        WatermarkError: its values are no position in a log.
    """
    if at is None or at.values is None:
        return Progress({})
    tables = {name: TableProgress.of(one) for name, one in (at.facts.get(TABLES) or {}).items()}
    waiting, gone = tuple(at.facts.get("waiting") or ()), dict(at.facts.get("gone") or {})
    fact = at.facts.get("transaction")
    transaction = None if fact is None else OpenTransaction.of(fact)
    return Progress(tables, _position(stream, at.values), waiting, gone=gone, transaction=transaction)


def _position(stream: str, values: tuple[str, ...]) -> LogPosition:
    if len(values) == _VALUES and values[0] and values[1].isascii() and values[1].isdigit():
        return LogPosition(values[0], int(values[1]))
    raise WatermarkError(
        f"the watermark of stream {stream!r} is no position in a log, which is a place and a number of changes; nothing"
        f" was read. Look at it with {command('show', stream)}, write an exported one back with"
        f" {command('import', 'FILE', '--replace')}, or begin again with {command('forget', stream)}"
    )


def _is_number(found: Any) -> bool:
    return type(found) is int and found >= 0


def _are_tables(found: Any) -> bool:
    return isinstance(found, dict) and all(map(_is_table, found.values()))


def _is_table(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and found.get("state") in STATES
        and are_texts(found.get("key_columns"))
        and all(name not in found or fits(found[name]) for name, fits in _TABLE.items())
    )


def _is_column(found: Any) -> bool:
    return (
        isinstance(found, list)
        and [*map(type, found[:2])] == [str, str]
        and (found[2:] == [None] or [*map(_is_number, found[2:])] == [True])
    )


def _is_gap(found: Any) -> bool:
    return isinstance(found, list) and [*map(type, found)] == [str, str, int, bool, int]


def _is_transaction(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and is_text(found.get("place"))
        and (found.get("name") is None or is_text(found["name"]))
        and (found.get("time") is None or is_text(found["time"]))
        and isinstance(found.get("counts"), dict)
        and all(map(_is_number, found["counts"].values()))
    )


def _list_of(fits: Any) -> Any:
    return lambda found: isinstance(found, list) and all(map(fits, found))


def _are_numbers(found: Any) -> bool:
    return _is_number(found) or (isinstance(found, list) and all(map(_is_number, found)))


_TABLE: Mapping[str, Any] = {
    "key": are_texts,
    "generation": _is_number,
    "leg": lambda found: found in LEGS,
    "anew": lambda found: isinstance(found, bool),
    "requested": is_text,
    "columns": _list_of(_is_column),
    "excluded": lambda found: isinstance(found, dict) and all(map(_are_numbers, found.values())),
    "gaps": _list_of(_is_gap),
}

_FORMS: Mapping[str, Form] = {
    "source": (is_text, "a text"),
    TABLES: (_are_tables, "an object of tables, each with state and key_columns"),
    "gone": (lambda found: isinstance(found, dict) and all(map(_is_number, found.values())), "an object of numbers"),
    "transaction": (_is_transaction, "an object of place, time and counts"),
    "waiting": (_list_of(_is_number), "a list of numbers"),
    TOPIC_IDS: (lambda found: isinstance(found, dict) and all(map(is_text, found.values())), "an object of texts"),
}
