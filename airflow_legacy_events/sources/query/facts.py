"""Facts that a query source records with every watermark, as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core import sql_text
from airflow_legacy_events.core.facts import Form, are_texts, check_facts, is_text, rows_of
from airflow_legacy_events.core.ports import Database
from airflow_legacy_events.sources.selection import Selection

KIND = "query"

REMEDIES: Mapping[str, str] = {
    "server": "point the connection back, or, if this server holds the same rows under the same keys, {accept}",
    "watermark_columns": "restore them, or give the stream another name with stream=",
    "key_columns": "restore them, or give the stream another name with stream=",
}
"""Remedies where a fact differs from the watermark's; see `core.guard.check`."""


def source_facts(database: Database, source: str, query: str, selection: Selection) -> dict[str, Any]:
    """Return the facts by which a later run recognises its watermark.

    `kind` the source; older watermarks lack it.
    `server` which server and database · `source` the connection's name · `columns` name and type of the position
    columns · `watermark_columns`, `key_columns` · `query` a fingerprint of its text, without blanks and
    comments · `shape` name, type and nullability of every column that is read. A first run that found nothing at
    or above the value it began with adds `included`: the values themselves are still to be delivered. A bulk load adds
    `load`, a pass over rows whose watermark is NULL `nulls`: number, done, and where it is; a run that began anew
    since its query changed adds `reset`: the old fingerprint and values. The source adds `table`, null for a query, and
    whoever saves it `placed` where it has values.
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


def check_query_facts(stream: str, facts: Mapping[str, Any]) -> None:
    """Check that the facts of a watermark can be understood.

    Raises:
        WatermarkError: naming the first that can't.
    """
    check_facts(stream, facts, _FORMS)


def _is_pass(found: Any) -> bool:
    """A load or pass: its number, whether it is done, and where it is if it is not."""
    return (
        isinstance(found, dict)
        and type(found.get("number")) is int
        and found["number"] >= 0
        and isinstance(found.get("done"), bool)
        and are_texts(found.get("at", []))
    )


def _is_open_pass(found: Any) -> bool:
    return _is_pass(found) and (found["done"] or "at" in found)


_FORMS: Mapping[str, Form] = {
    "columns": (rows_of(str, str), "a list of pairs of name and type"),
    "shape": (rows_of(str, str, bool), "a list of names, each with type and whether it may be NULL"),
    "watermark_columns": (are_texts, "a list of names"),
    "key_columns": (are_texts, "a list of names"),
    "query": (is_text, "a text"),
    "table": (is_text, "a text"),
    "source": (is_text, "a text"),
    "included": (lambda found: isinstance(found, bool), "true or false"),
    "load": (_is_pass, "an object of number and done"),
    "nulls": (_is_open_pass, "an object of number and done, and at where it is not done"),
}
