"""Check whether the triggers in a database are those that would be printed today."""

from __future__ import annotations

from airflow_legacy_events.cli.outbox.capturing import Looked
from airflow_legacy_events.cli.outbox.model import Dialect, Installed, Trigger
from airflow_legacy_events.cli.outbox.printing import stale_of


def findings(looked: Looked, dialect: Dialect) -> list[str]:
    """Return the problems found, as sentences; empty if everything matches."""
    capture = looked.capture
    installed = {one.name: one for one in dialect.installed(capture)}
    return [
        *(
            f"the table has no column {name!r}: if it was renamed, a trigger that names it makes every write fail"
            for name in looked.missing
        ),
        *looked.outbox_faults(),
        *(
            f"trigger {one.name!r} fills the outbox too, from before the table was renamed: every write is recorded"
            " twice"
            for one in stale_of(capture, dialect)
        ),
        *(found for one in dialect.triggers(capture) if (found := _finding(one, installed.get(one.name))) is not None),
    ]


def _finding(trigger: Trigger, installed: Installed | None) -> str | None:
    if installed is None:
        return f"trigger {trigger.name!r} is missing or fills another outbox, or this user may not see it"
    if installed.fault is not None:
        return f"trigger {trigger.name!r} {installed.fault}"
    if installed.body.split() != trigger.body.split():
        return f"trigger {trigger.name!r} differs from what would be printed today"
    return None
