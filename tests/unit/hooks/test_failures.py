"""An error that no retry can mend is one that Airflow does not retry, and stays ours."""

import pytest
from airflow.sdk.exceptions import AirflowFailException

from airflow_legacy_events import errors
from airflow_legacy_events.hooks.failures import final
from airflow_legacy_events.watermarks.codec import DamagedWatermarkError

REJECTION = object()


def failed(error, *, retry_helps=False):
    error.retry_helps = retry_helps
    error.add_note("a note")
    try:
        raise error from KeyError("k")
    except errors.LegacyEventsError as raised:
        return raised


@pytest.mark.parametrize(
    "error",
    [
        errors.ConfigurationError("said"),
        errors.SourceError("said"),
        errors.BusyError("said", holder="r1", healthy=False),
        errors.EnvelopeError("said"),
        errors.DeliveryError("said", rejected=[REJECTION]),
        errors.WatermarkError("said"),
        DamagedWatermarkError("said"),
        errors.CompletenessError("said"),
        errors.ConnectError("said", status=400),
        errors.ConnectorFailedError("said", trace="why"),
        errors.LegacyEventsError("said"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_no_retry_mends_ends_the_task_and_loses_nothing(error):
    made = final(failed(error))

    ours = next(kind for kind in type(error).__mro__ if hasattr(errors, kind.__name__) and kind is not errors.BusyError)
    assert isinstance(made, AirflowFailException)
    assert isinstance(made, ours)
    assert type(made).__name__ == ours.__name__
    assert str(made) == "said"
    assert vars(made) == vars(error)
    assert made.__notes__ == ["a note"]
    assert made.__cause__ is error.__cause__
    assert made.__traceback__ is error.__traceback__
    assert final(made) is made


@pytest.mark.parametrize("kind", [errors.SourceError, errors.WatermarkError])
def test_what_a_retry_may_mend_is_left_as_it_is(kind):
    error = failed(kind("said"), retry_helps=True)

    assert final(error) is error
