"""What is told of an error of Airflow's client."""

import pytest
from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time.comms import ErrorResponse

from airflow_legacy_events.watermarks.refusals import why

GIVEN = {
    "the server's reason": (
        {"detail": {"reason": "permission_denied", "message": "Task can't set it"}},
        "permission_d",
    ),
    "a text": ({"detail": "Invalid token"}, "answered 403: Invalid token"),
    "a list": ({"detail": [{"loc": ["body", "value"], "msg": "too long", "input": "secret"}]}, "body.value: too long"),
    "none": (None, r"answered 403 \(Server returned error\) without a reason; see its own log"),
    "nothing known": ({"other": 1}, "without a reason"),
}


@pytest.mark.parametrize("given", GIVEN)
def test_the_reason_of_the_api_server_is_told(given):
    detail, said = GIVEN[given]
    found = {"status_code": 403, "message": "Server returned error", "detail": detail}
    error = AirflowRuntimeError(ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail=found))
    with pytest.raises(RuntimeError, match=said) as told:
        raise RuntimeError(why(error))
    assert "secret" not in str(told.value)
    assert "None" not in str(told.value)


@pytest.mark.parametrize("detail", [None, {"key": "k"}])
def test_any_other_error_is_told_as_it_is(detail):
    error = AirflowRuntimeError(ErrorResponse(error=ErrorType.VARIABLE_NOT_FOUND, detail=detail))
    assert why(error) == str(error)
    assert why(OSError("no\nroute")) == "no route"
