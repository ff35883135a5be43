"""Facts that a kept outbox records with every watermark, as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core import sql_text
from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.facts import Form, check_facts, is_text
from airflow_legacy_events.core.model import Watermark
from airflow_legacy_events.sources.outbox.facts import KIND, check_outbox_facts
from airflow_legacy_events.sources.outbox.facts import REMEDIES as OF_OUTBOX
from airflow_legacy_events.sources.outbox.table import OutboxTable
from airflow_legacy_events.sources.query.facts import check_query_facts, state_facts

MODE = "keep"

REMEDIES: Mapping[str, str] = {
    **OF_OUTBOX,
    "watermark_columns": "its position is in other columns: restore order_columns= and columns={{'timestamp': ...}}",
    "key_columns": "rows are identified by other columns than before: restore the table's key",
    "order": "rows that were passed may sort above it by now: restore the order of the columns, or {accept}",
    "where": "rows that it left out so far would never be sent: restore where=, or {accept}",
}
"""Remedies for a fact that differs from the watermark's; see `core.guard.check`."""


def kept_facts(table: OutboxTable, source: str, where: str | None) -> dict[str, Any]:
    """Return the facts that identify the watermark's rows and server to a later run.

    `kind`, `server`, `source`, `table`, `columns`, `key_columns` are those of every outbox, and `mode` is `keep`.
    `watermark_columns` are those that give the order · `where` is a fingerprint of the condition, empty without one.
    The others are those of a query; see `sources.query.facts`.
    """
    selection, database = table.selection, table.database
    shape = selection.shape
    return {
        "kind": KIND,
        "mode": MODE,
        "server": database.identity(),
        "source": source,
        "table": table.written,
        "columns": [[column.name, column.type] for column in selection.columns],
        "watermark_columns": list(shape.named(shape.watermark)),
        "key_columns": [column.name for column in table.key],
        "where": "" if where is None else sql_text.fingerprint(where, database.sql_dialect),
        "shape": [[column.name, column.type, column.nullable] for column in shape.columns],
        **state_facts(table.found.state, selection),
    }


def check_kept_facts(stream: str, facts: Mapping[str, Any]) -> None:
    """Check that the facts of a watermark can be understood.

    Raises:
        WatermarkError: names the first that can't.
    """
    check_outbox_facts(stream, facts)
    check_query_facts(stream, facts)
    check_facts(stream, facts, _FORMS)


def positioned(stream: str, at: Watermark | None) -> Watermark | None:
    """Return the watermark from which a kept outbox continues.

    A drain with `delete` has left only rows that were not published, so the first one that keeps them begins at the
    beginning.

    Raises:
        WatermarkError: a drain with `mark` wrote it: which rows were published only their marks know.
    """
    mode = None if at is None else at.facts.get("mode")
    if mode == "delete":
        return Watermark(None, None, {})
    if mode == "mark":
        raise WatermarkError(
            f"stream {stream!r} was drained with after_publish='mark', this run has 'keep', which reads by position and"
            f" would publish marked rows again; nothing was read.\nGo back to after_publish='mark'; or start over with"
            f' {command("forget", stream)} and leave marked rows out, such as where="published_at IS NULL"'
        )
    return at


_FORMS: Mapping[str, Form] = {"where": (is_text, "a text")}
