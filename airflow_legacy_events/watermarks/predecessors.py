"""Predecessors of a stream: streams that the same task has begun under another name."""

from __future__ import annotations

import logging
from collections.abc import Collection

from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.watermarks import airflow_variables
from airflow_legacy_events.watermarks.registration import PREFIX, Registration, registration_of

MOST_READ = 100
"""Maximum number of registrations read, those with the most similar names first."""

_log = logging.getLogger(__name__)


def predecessors(stream: str, dag: str, task: str, alike: Collection[str]) -> dict[str, Registration] | None:
    """Return the registrations of other streams that a task has begun, the newest first.

    Args:
        stream: the new stream, which is excluded.
        dag: id of the task's DAG.
        task: id of the task.
        alike: texts that names of predecessors are likely to contain.

    Returns:
        None if this Airflow does not let a task list Variables, as before 3.3.
    """
    keys = airflow_variables.keys(PREFIX)
    if keys is None:
        return None
    own = airflow_variables.variable_key(PREFIX, stream)
    names = {key: airflow_variables.stream_of(PREFIX, key) for key in keys if key != own}
    likely = sorted(names, key=lambda key: (-sum(part in names[key] for part in alike), key))[:MOST_READ]
    found: dict[str, Registration] = {}
    for key in likely:
        try:
            name, registration = registration_of(key, airflow_variables.glance(key) or "")
        except WatermarkError as error:
            _log.info("%s", error)
            continue
        if (registration.dag, registration.task) == (dag, task):
            found[name] = registration
    return dict(sorted(found.items(), key=lambda one: one[1].since, reverse=True))
