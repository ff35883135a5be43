"""DAG Params: forms in the DAG's trigger dialog, for replays and for tables of a change log that are read again."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param

SECTION = "Replay"


def replay_params() -> dict[str, Any]:
    """Return Params for ``DAG(params=replay_params())``: from, to, and where and how fast to send.

    The dialog fills ``replay_from``, ``replay_to``, ``replay_topic`` and ``replay_rows_per_second``. The operators
    treat them like ``{"replay": {...}}`` in the run's configuration, which takes precedence. If they are left empty,
    the run is an ordinary one. A window over a non-temporal column can only be requested in the configuration.
    """
    moment: dict[str, Any] = {"type": ["null", "string"], "format": "date-time", "section": SECTION}
    return {
        "replay_from": Param(None, title="From", description="Rows from this time on are sent again.", **moment),
        "replay_to": Param(None, title="To", description="Rows from this time on are not.", **moment),
        "replay_topic": Param(
            None,
            title="Topic",
            description="Where to send them, a topic that the task allows; empty: its replay_topic, else its topic.",
            type=["null", "string"],
            section=SECTION,
        ),
        "replay_rows_per_second": Param(
            None,
            title="Rows per second",
            description="Mean rate that is not exceeded; empty: the task's.",
            type=["null", "number"],
            minimum=1,
            section=SECTION,
        ),
    }


def snapshot_params() -> dict[str, Any]:
    """Return Params for ``DAG(params=snapshot_params())``: tables of a change log that the run reads again.

    The dialog fills ``snapshot``, one table a line, such as ``public.orders``. ``ChangeLogDrainOperator`` treats it
    like ``{"snapshot": [...]}`` in the run's configuration. If it is left empty, the run only reads the log.
    """
    return {
        "snapshot": Param(
            None,
            title="Tables",
            description="Their rows are sent as they are now, beside their changes; one schema.table a line.",
            type=["null", "array"],
            items={"type": "string"},
            section="Snapshot",
        ),
    }
