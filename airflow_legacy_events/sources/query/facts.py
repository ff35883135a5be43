"""Facts that a query source records with every watermark, as plain JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core import sql_text
from airflow_legacy_events.core.facts import Form, are_texts, check_facts, is_text, rows_of
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.core.ports import Database, TableState
from airflow_legacy_events.sources.query import last_rows
from airflow_legacy_events.sources.query.by_version.progress import FACT, is_pass
from airflow_legacy_events.sources.query.horizons.kept import FACT as HORIZON
from airflow_legacy_events.sources.query.horizons.kept import is_horizon
from airflow_legacy_events.sources.query.overlapping.seen import FACT as SEEN
from airflow_legacy_events.sources.query.overlapping.seen import is_seen
from airflow_legacy_events.sources.selection import Selection

KIND = "query"

REMEDIES: Mapping[str, str] = {
    "server": "point the connection back, or, if this server holds the same rows under the same keys, {accept}",
    "watermark_columns": "restore them, or give the stream another name with stream=",
    "key_columns": "restore them, or give the stream another name with stream=",
    "order": "rows that were passed may sort above it by now: restore the order of the columns, or {accept}",
}
"""Remedies for a fact that differs from the watermark's; see `core.guard.check`."""


def source_facts(database: Database, source: str, query: str, selection: Selection) -> dict[str, Any]:
    """Return the facts that identify the watermark's rows and server to a later run.

    `kind` of the source; older watermarks lack it.
    `server` and database identity · `source` the connection's name · `columns` name and type of the position columns ·
    `watermark_columns`, `key_columns` · `query` a fingerprint of its text, without blanks and comments · `shape` name,
    type and nullability of every column that is read. A first run that found nothing at or above its start value adds
    `included`: rows at that value are still to be delivered. A bulk load adds `load`, and a pass over rows with a NULL
    watermark `nulls`: number, done, and current place. A pass by row versions adds `pass`; see `by_version.Pass`. A run
    that started again because its query changed adds `reset`: the old fingerprint and values. The source adds `table`,
    null for a query, and `rendered` for a template. The delivery adds `placed` if there are values.

    `state_facts` adds facts of the table itself. Further facts: `last` checksums of the last delivered rows ·
    `reached` log position of the server · `generation` of a table that was resent · `emptied` or `gone` if the table
    was found without rows, or without the last delivered one · `horizon` a mark below which open transactions may still
    commit, see `horizons.KeptHorizon` · `seen` checksums of the rows that were delivered in the overlap, see
    `overlapping.SeenRows`.
    """
    shape = selection.shape
    return {
        "kind": KIND,
        "server": database.identity(),
        "source": source,
        "columns": [[column.name, column.type] for column in selection.columns],
        "watermark_columns": list(shape.named(shape.watermark)),
        "key_columns": list(shape.named(shape.key)),
        "query": sql_text.fingerprint(query, database.sql_dialect),
        "shape": [[column.name, column.type, column.nullable] for column in shape.columns],
    }


def rendered(query: str | None, written: str | None) -> dict[str, str]:
    """Return the fact `rendered` of a template: a fingerprint of the rendered text; see `core.guard.check_alone`."""
    if query is None or written in (None, query):
        return {}
    return {"rendered": hashlib.sha256(query.encode()).hexdigest()[:16]}


def state_facts(state: TableState, selection: Selection) -> dict[str, Any]:
    """Return the facts that identify a table, as far as they are known.

    `object` identity of the table · `order` collations of the position columns · `definition` of a view.
    """
    names = [column.name for column in selection.columns]
    order = {name: state.order[name] for name in names if name in state.order}
    found = {"object": state.object, "order": order or None, "definition": state.definition}
    return {name: dict(one) if isinstance(one, Mapping) else one for name, one in found.items() if one is not None}


def carried(at: Watermark | None, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a watermark that stay valid until further rows are delivered."""
    if at is None:
        return {}
    kept = {name: at.facts[name] for name in ("generation", "reached") if at.facts.get(name)}
    last = last_rows.kept(at.facts, found)
    return {**kept, "last": list(last)} if last else kept


def check_query_facts(stream: str, facts: Mapping[str, Any]) -> None:
    """Check that the facts of a watermark can be understood.

    Raises:
        WatermarkError: names the first that can't.
    """
    check_facts(stream, facts, _FORMS)


def _is_pass(found: Any) -> bool:
    """Whether `found` is a load or pass: its number, whether it is done, and its current place if not."""
    return (
        isinstance(found, dict)
        and type(found.get("number")) is int
        and found["number"] >= 0
        and isinstance(found.get("done"), bool)
        and are_texts(found.get("at", []))
    )


def _is_open_pass(found: Any) -> bool:
    return _is_pass(found) and (found["done"] or "at" in found)


def _is_object(found: Any) -> bool:
    return isinstance(found, dict)


_FORMS: Mapping[str, Form] = {
    "columns": (rows_of(str, str), "a list of pairs of name and type"),
    "shape": (rows_of(str, str, bool), "a list of names, each with type and whether it may be NULL"),
    "watermark_columns": (are_texts, "a list of names"),
    "key_columns": (are_texts, "a list of names"),
    "query": (is_text, "a text"),
    "rendered": (is_text, "a text"),
    "table": (is_text, "a text"),
    "source": (is_text, "a text"),
    "included": (lambda found: isinstance(found, bool), "true or false"),
    "load": (_is_pass, "an object of number and done"),
    "object": (_is_object, "an object"),
    "order": (_is_object, "an object"),
    "reached": (_is_object, "an object"),
    "definition": (is_text, "a text"),
    "last": (are_texts, "a list of texts"),
    "generation": (lambda found: type(found) is int and found >= 0, "a number"),
    FACT: (is_pass, "an object of low, high, file, blocks and after"),
    HORIZON: (is_horizon, "an object of mark, open, server, since and drained"),
    SEEN: (is_seen, "an object of rows, from, after and beyond"),
    "nulls": (_is_open_pass, "an object of number and done, and at where it is not done"),
}
