"""Errors as Airflow exceptions: those that no retry can fix fail the task at once."""

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


class TargetError(errors.TargetError, AirflowFailException):
    """See `errors.TargetError`; not retried."""


class WatermarkError(errors.WatermarkError, AirflowFailException):
    """See `errors.WatermarkError`; not retried."""


class CompletenessError(errors.CompletenessError, AirflowFailException):
    """See `errors.CompletenessError`; not retried."""


class ConnectorFailedError(errors.ConnectorFailedError, AirflowFailException):
    """See `errors.ConnectorFailedError`; not retried."""


class ConnectError(errors.ConnectError, AirflowFailException):
    """See `errors.ConnectError`; not retried."""


class LegacyEventsError(errors.LegacyEventsError, AirflowFailException):
    """See `errors.LegacyEventsError`; not retried."""


_FINAL = (
    *(ConfigurationError, SourceError, EnvelopeError, DeliveryError, TargetError, WatermarkError, CompletenessError),
    *(ConnectorFailedError, ConnectError),  # the narrower one first
)


def final(error: errors.LegacyEventsError) -> errors.LegacyEventsError:
    """Return `error` in the form for Airflow: wrapped in lines, and not retried where a retry can't help.

    Airflow's page truncates long lines, and the remedy is in the last sentence. A new error keeps the attributes,
    notes, cause and traceback of `error`. It is caught by the same class of `core.errors`.
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
