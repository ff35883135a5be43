"""Our errors as Airflow understands them."""

from __future__ import annotations

from airflow.sdk.exceptions import AirflowFailException

from airflow_legacy_events.core.errors import LegacyEventsError


def final(error: LegacyEventsError) -> LegacyEventsError:
    """Return `error`, as one that Airflow does not retry where a retry can't help."""
    if error.retry_helps or isinstance(error, AirflowFailException):
        return error
    kind = _final_class(type(error))
    made = kind.__new__(kind, *error.args)
    made.args = error.args
    made.__dict__.update(error.__dict__)
    made.__cause__, made.__suppress_context__ = error.__cause__, error.__suppress_context__
    return made.with_traceback(error.__traceback__)


def _final_class(kind: type[LegacyEventsError]) -> type[LegacyEventsError]:
    return type(kind.__name__, (kind, AirflowFailException), {"__doc__": kind.__doc__, "__module__": kind.__module__})
