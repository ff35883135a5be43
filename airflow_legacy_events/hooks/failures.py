"""Our errors as Airflow understands and shows them: those that no retry can mend fail the task at once."""

from __future__ import annotations

from airflow.sdk.exceptions import AirflowFailException

from airflow_legacy_events.core import errors
from airflow_legacy_events.core.lines import in_lines


class ConfigurationError(errors.ConfigurationError, AirflowFailException):
    """See `errors.ConfigurationError`; not retried."""


class SourceError(errors.SourceError, AirflowFailException):
    """See `errors.SourceError`; not retried."""


class EnvelopeError(errors.EnvelopeError, AirflowFailException):
    """See `errors.EnvelopeError`; not retried."""


class DeliveryError(errors.DeliveryError, AirflowFailException):
    """See `errors.DeliveryError`; not retried."""


class WatermarkError(errors.WatermarkError, AirflowFailException):
    """See `errors.WatermarkError`; not retried."""


class CompletenessError(errors.CompletenessError, AirflowFailException):
    """See `errors.CompletenessError`; not retried."""


class LegacyEventsError(errors.LegacyEventsError, AirflowFailException):
    """See `errors.LegacyEventsError`; not retried."""


_FINAL = (ConfigurationError, SourceError, EnvelopeError, DeliveryError, WatermarkError, CompletenessError)


def final(error: errors.LegacyEventsError) -> errors.LegacyEventsError:
    """Return `error` as Airflow is to have it: in lines, and as one that is not retried where a retry can't help.

    Airflow's page cuts long lines off, and what to do stands in the last sentence. An error that is made anew has the
    attributes, the notes, the cause and the traceback of `error`, and is caught by the class of `core.errors` that
    `error` is of.
    """
    if error.args and isinstance(error.args[0], str):
        error.args = (in_lines(error.args[0], len(f"{type(error).__name__}: ")), *error.args[1:])
    if error.retry_helps or isinstance(error, AirflowFailException):
        return error
    kind = next((kind for kind in _FINAL if isinstance(error, kind.__bases__[0])), LegacyEventsError)
    made = kind(*error.args)
    vars(made).update(vars(error))
    made.__cause__, made.__suppress_context__ = error.__cause__, error.__suppress_context__
    return made.with_traceback(error.__traceback__)
