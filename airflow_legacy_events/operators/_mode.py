"""Run mode: decided by how Airflow started the run, never by its run id."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import RunMode, Span, Window

KEYS = ("from", "to", "topic", "rows_per_second")
_SHOWN, _MOST_SHOWN = 40, 5
_LONGEST_TOPIC = 249
_LONGEST_BOUND = 1_000
_HUGE = 10**1_000


LIVE = RunMode()


def decide(context: Mapping[str, Any], *, time_column: str | None, done: Span | None = None) -> RunMode:
    """Return the first mode that fits.

    Args:
        context: of the task: `dag_run` with its type, interval and configuration, and `params`.
        time_column: the column that moments are compared with; None: the first temporal watermark column.
        done: the window that this task instance delivered before it was cleared, if it is to be repeated.

    Raises:
        ConfigurationError: the replay's configuration is wrong, or a backfill can't determine its interval.
    """
    run = context["dag_run"]
    conf = run.conf or {}
    if not isinstance(conf, Mapping):
        raise _wrong(f"the configuration is a {type(conf).__name__}")
    replay = find_replay(conf, context.get("params") or {})
    if replay is not None:
        return _replay(replay, time_column)
    if run_type(run) == "backfill":
        return _backfill(run, time_column)
    return LIVE if done is None else RunMode("rerun", done)


def run_type(run: Any) -> str:
    """Return the name of a run's type; the enumeration is spelled differently across Airflow versions."""
    return str(getattr(run.run_type, "value", run.run_type))


def find_replay(conf: Mapping[str, Any], params: Mapping[str, Any]) -> Any:
    """Return the replay in the run's configuration, else the one from the trigger form."""
    if conf.get("replay") is not None:
        return conf["replay"]
    form = {name: params.get(f"replay_{name}") for name in KEYS}
    filled = {name: value for name, value in form.items() if value not in (None, "")}
    return filled if "from" in filled or "to" in filled else None


def _replay(arguments: Any, time_column: str | None) -> RunMode:
    if not isinstance(arguments, Mapping):
        raise _wrong(f"found a {type(arguments).__name__}")
    if unknown := sorted(ascii(str(key))[1:-1][:_SHOWN] for key in arguments if key not in KEYS):
        more = f" and {len(unknown) - _MOST_SHOWN} more" if len(unknown) > _MOST_SHOWN else ""
        raise _wrong(f"unknown: {', '.join(unknown[:_MOST_SHOWN])}{more}")
    if missing := [key for key in ("from", "to") if arguments.get(key) in (None, "")]:
        raise _wrong(f"missing: {', '.join(missing)}")
    topic, rate = arguments.get("topic"), arguments.get("rows_per_second")
    if topic is not None and (not isinstance(topic, str) or not topic):
        raise _wrong("topic is not a string")
    if topic is not None and len(topic) > _LONGEST_TOPIC:
        raise _wrong(f"topic has {len(topic)} characters, and a Kafka topic has at most {_LONGEST_TOPIC}")
    if rate is not None and not _is_rate(rate):
        raise _wrong("rows_per_second is not a finite number of 1 or more")
    return RunMode("replay", Window(time_column, _text(arguments["from"]), _text(arguments["to"])), topic, rate)


def _is_rate(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and 1 <= value <= sys.float_info.max


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _wrong(f"from and to must be strings or numbers, not {type(value).__name__}")
    if isinstance(value, int) and abs(value) >= _HUGE:
        raise _wrong("from or to is a number of more than a thousand digits")
    text = str(value)
    if len(text) > _LONGEST_BOUND:
        raise _wrong(f"from or to has {len(text)} characters, more than {_LONGEST_BOUND}")
    if "\0" in text or (not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)):
        raise _wrong("from or to holds a zero byte or half a surrogate pair, which no text of a database does")
    return text


def _wrong(found: str) -> ConfigurationError:
    return ConfigurationError(
        f"the run requests a replay that can't be understood: {found}; nothing was read. Its configuration must hold"
        ' {"replay": {"from": T, "to": T}}, and may hold "topic" and "rows_per_second" beside them; T is ISO 8601 with'
        " an offset, such as 2026-11-01T00:00:00+00:00, or a value of the first watermark column"
    )


def _backfill(run: Any, time_column: str | None) -> RunMode:
    start, end = run.data_interval_start, run.data_interval_end
    if start is None or end is None or not start < end:
        found = "none" if start is None or end is None else f"[{start.isoformat()}, {end.isoformat()}), which is empty"
        raise ConfigurationError(
            f"run {run.run_id!r} belongs to a backfill, which replays the run's data interval, but its interval is"
            f" {found}; nothing was read. Schedule the DAG with CronDataIntervalTimetable (a cron text or timedelta has"
            " no interval), name the time of a row with time_column= if no watermark column is one, or replay a window"
            ' of your own by an ordinary run with the configuration {"replay": {"from": T, "to": T}}'
        )
    return RunMode("replay", Window(time_column, start.isoformat(), end.isoformat()))
