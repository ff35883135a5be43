"""Printed SQL: notes first, then the statements."""

from __future__ import annotations

from airflow_legacy_events.cli.outbox.capturing import Looked, unknown_columns
from airflow_legacy_events.cli.outbox.model import Capture, Dialect, Installed, Request
from airflow_legacy_events.cli.outbox.quoting import comment
from airflow_legacy_events.core.errors import ConfigurationError

_NOTIFY = (
    "NOTIFY takes one lock of the whole server at every commit, so writers wait for each other, and a transaction that"
    " notifies can't be prepared (PREPARE TRANSACTION)."
)


def script(request: Request, looked: Looked, dialect: Dialect) -> str:
    """Return comments and statements; nothing is executed.

    Raises:
        ConfigurationError: a requested column does not exist, or a name is already used by a foreign object.
    """
    capture = looked.capture
    if looked.missing:
        raise unknown_columns(request, looked.missing, dialect.database.reflect(request.table, None))
    if strangers := dialect.strangers(capture):
        raise ConfigurationError(
            f"the triggers of table {request.table!r} would replace {', '.join(strangers)}, which was not printed for"
            " this table: rename or drop it first"
        )
    stale = stale_of(capture, dialect)
    notes = [
        f"Events of {capture.table.name} for {capture.outbox.name}. Writers wait while this runs.",
        *(f"Attention: {one}." for one in looked.outbox_faults()),
        *(f"The trigger {one.name} is from before the table was renamed; it is dropped." for one in stale),
        *capture.notes,
        *([] if capture.notify is None else [_NOTIFY]),
    ]
    return "\n".join(map(comment, notes)) + "\n" + dialect.script(capture, stale)


def stale_of(capture: Capture, dialect: Dialect) -> list[Installed]:
    """Return the triggers that were printed for this outbox when the table had another name."""
    names = {one.name for one in dialect.triggers(capture)}
    return [one for one in dialect.installed(capture) if one.name not in names and one.name.endswith(dialect.suffixes)]
