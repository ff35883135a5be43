"""Run mode of a change log: always live, and with the configuration `snapshot` some tables are read again."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import RunMode
from airflow_legacy_events.operators._mode import find_replay, run_type
from airflow_legacy_events.streams.specs.log_arguments import check_table

KEY = "snapshot"
INSTEAD = (
    'To send tables as they are now, run with the configuration {"snapshot": ["schema.table"]}.\n'
    "IncrementalQueryOperator replays windows of a table"
)
_SHOWN = 40
_LIKE = 0.75


def decide_log(context: Mapping[str, Any]) -> RunMode:
    """Return the mode of a run.

    Args:
        context: of the task: `dag_run` with its type and configuration, `params`, and `dag` with the declared ones.

    Raises:
        ConfigurationError: the run is to replay the log, or its configuration is wrong.
    """
    run = context["dag_run"]
    conf, params = run.conf or {}, context.get("params") or {}
    if not isinstance(conf, Mapping):
        raise _wrong(f"the configuration is a {type(conf).__name__}")
    if find_replay(conf, params) is not None:
        raise _no_replay("the run's configuration requests a replay")
    if run_type(run) == "backfill":
        raise _no_replay("the run belongs to a backfill, which replays the run's data interval")
    asked = conf.get(KEY) if conf.get(KEY) is not None else params.get(KEY)
    _refuse_unknown(conf, getattr(context.get("dag"), "params", None) or (), asked=asked is not None)
    return RunMode(snapshot=_tables(asked))


def _tables(asked: Any) -> tuple[str, ...]:
    if asked is None:
        return ()
    if not isinstance(asked, list | tuple) or not all(isinstance(one, str) for one in asked):
        raise _wrong(
            f"found a {type(asked).__name__}" if not isinstance(asked, list | tuple) else "not all are strings"
        )
    for one in asked:
        check_table('the configuration {"snapshot": …}', one, all_of_schema=False)
    return tuple(dict.fromkeys(asked))


def _refuse_unknown(conf: Mapping[str, Any], declared: Iterable[str], *, asked: bool) -> None:
    """Refuse keys beside `snapshot`, and without it those that look like it; parameters of the DAG are no such keys."""
    others = [str(name) for name in conf if name != KEY and name not in declared]
    if not asked:
        others = [name for name in others if difflib.get_close_matches(name.lower(), [KEY], 1, _LIKE)]
    if others:
        raise _wrong(f"unknown: {', '.join(ascii(name)[1:-1][:_SHOWN] for name in sorted(others))}")


def _wrong(found: str) -> ConfigurationError:
    return ConfigurationError(
        f"the run asks for a snapshot that is not understood: {found}; nothing was read.\n"
        'The configuration must be {"snapshot": ["schema.table", ...]}, and may hold parameters of the DAG beside it'
    )


def _no_replay(why: str) -> ConfigurationError:
    return ConfigurationError(f"{why}, and a change log can't be replayed; nothing was read.\n{INSTEAD}")
