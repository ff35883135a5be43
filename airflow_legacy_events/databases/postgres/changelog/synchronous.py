"""A walsender that commits wait for: `synchronous_standby_names` can take our stream for a standby."""

from __future__ import annotations

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.databases.postgres.changelog.session import LogSession
from airflow_legacy_events.databases.postgres.changelog.settings import find_settings

_SENDER = """
SELECT r.flush_lsn IS NOT NULL, r.sync_state, current_setting('synchronous_standby_names'),
       ARRAY(SELECT o.application_name FROM pg_stat_replication AS o
              WHERE o.pid <> r.pid AND o.sync_state IN ('sync', 'potential', 'quorum') AND o.application_name <> ''
              ORDER BY o.sync_priority, 1)
  FROM pg_stat_replication AS r WHERE r.pid = %s
"""
_ASYNC = "async"
_PAUSES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, *(0.1,) * 50)


def refuse_synchronous(session: LogSession, pid: int) -> None:
    """Check that no commit waits for a walsender of ours, once it has reported a place.

    Raises:
        ConfigurationError: the server counts it as a synchronous standby.
    """
    for pause in (*_PAUSES, None):
        rows = session.ask("looking whether commits wait for the change log", _SENDER, (pid,))
        if not rows or rows[0][0] or pause is None:
            break
        session.wait(pause)  # the server has not taken the report yet
    if not rows or rows[0][1] in (None, _ASYNC):
        return
    [(_, state, setting, others)] = rows
    named = ", ".join('"' + one.replace('"', '""') + '"' for one in others)
    wanted = f"FIRST 1 ({named})".replace("'", "''") if named else ""
    raise ConfigurationError(
        f"synchronous_standby_names = {setting!r} takes this task for a standby ({state}): the application's commits"
        " would"
        " wait for the broker, and count as safe with this task alone; the run was ended at once. Spell out the"
        " standbys"
        f"\n{find_settings(session).set('synchronous_standby_names', wanted)}"
    )
