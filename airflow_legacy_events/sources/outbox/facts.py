"""Facts that an outbox source records with every watermark, as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.facts import Form, are_texts, check_facts, is_text, rows_of
from airflow_legacy_events.core.ports import TableWrites
from airflow_legacy_events.sources.outbox.table import OutboxTable
from airflow_legacy_events.sources.server import REACHED

KIND = "outbox"

REMEDIES: Mapping[str, str] = {
    "server": "point the connection back, or, if this server holds the same table, {accept}",
}
"""Remedies for a fact that differs from the watermark's; see `core.guard.check`."""

WITH_RECEIPT: Mapping[str, str] = {
    **REMEDIES,
    "key_columns": "delivered rows are identified by the old key: restore it for one run",
}
"""Remedies while rows are still to be acknowledged."""


def source_facts(table: OutboxTable, source: str, writes: TableWrites) -> dict[str, Any]:
    """Return the facts that identify the watermark's table and server to a later run.

    `kind` of the source · `server` and database identity · `source` the connection's name · `table` as written ·
    `lock` the table's name on its server, used as the name of its lock · `columns` name and type of the position
    columns · `key_columns` · `mode` delete or mark · `churn` the server's counts of inserted and deleted rows ·
    `reached` log position of the server, if it reports one. The drain adds `drained`, the rows that the run has
    delivered so far.
    """
    identity, reached = table.database.identity(), table.database.position()
    return {
        "kind": KIND,
        "server": identity,
        "source": source,
        "table": table.written,
        "lock": writes.name,
        "columns": [[column.name, column.type] for column in table.selection.columns],
        "key_columns": [column.name for column in table.key],
        "mode": "delete" if table.marking is None else "mark",
        "churn": None if writes.churn is None else list(writes.churn),
        "drained": 0,
        **({} if reached is None else {REACHED: reached}),
    }


def check_outbox_facts(stream: str, facts: Mapping[str, Any]) -> None:
    """Check that the facts of a watermark can be understood.

    Raises:
        WatermarkError: names the first that can't.
    """
    check_facts(stream, facts, _FORMS)


def refuse_position(stream: str, facts: Mapping[str, Any], now: str) -> None:
    """Check that the watermark of a drain is not that of a kept outbox, whose rows would all be published again.

    Args:
        stream: whose watermark it is.
        facts: of the watermark.
        now: `after_publish` of this run.

    Raises:
        WatermarkError: it is.
    """
    if facts.get("mode") == "keep":
        raise WatermarkError(
            f"stream {stream!r} was read with after_publish='keep', this run has {now!r}, which would publish every row"
            " that was kept again, with equal ids; nothing was read.\nGo back to after_publish='keep'; or delete or"
            f" mark the published rows, then start over with {command('forget', stream)}"
        )


def _is_count(found: Any) -> bool:
    return type(found) is int and found >= 0


_FORMS: Mapping[str, Form] = {
    "columns": (rows_of(str, str), "a list of pairs of name and type"),
    "key_columns": (are_texts, "a list of names"),
    "table": (is_text, "a text"),
    "lock": (is_text, "a text"),
    "source": (is_text, "a text"),
    "mode": (is_text, "a text"),
    "drained": (_is_count, "a number"),
    REACHED: (lambda found: isinstance(found, dict), "an object"),
    "churn": (lambda found: isinstance(found, list) and [*map(_is_count, found)] == [True, True], "two numbers"),
}
