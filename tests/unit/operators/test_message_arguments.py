"""Arguments about messages that are wrong whatever is rendered into them."""

import pytest

from airflow_legacy_events.errors import ConfigurationError
from airflow_legacy_events.operators.query import IncrementalQueryOperator


def operator(**arguments):
    required = {"source_conn_id": "c", "topic": "t", "table": "orders", "watermark_columns": ["id"]}
    return IncrementalQueryOperator(task_id="publish", **{**required, **arguments})


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"decimals": "float"}, "decimals= must be one of 'string', 'number'; found 'float'"),
        ({"bigints": "text"}, "bigints= must be one of 'number', 'string'; found 'text'"),
        ({"times": "local"}, "times= must be one of 'rfc3339', 'naive'; found 'local'"),
        ({"bytes": "raw"}, "bytes= must be one of 'base64', 'hex'; found 'raw'"),
        ({"subject": "{"}, "subject= is '{', which is not a valid template"),
        ({"event_type": "a{}"}, "event_type= is 'a{}', which is not a valid template"),
        ({"event_source": "{a!r}"}, "event_source= is '{a!r}', which is not a valid template"),
        ({"headers": {"a": "}"}}, "a= is '}', which is not a valid template"),
        ({"headers": {"a": 5}}, "headers= must be a dict of names and texts"),
        ({"headers": {"": "x"}}, "headers= must be a dict of names and texts"),
        ({"headers": ["a"]}, "headers= must be a dict of names and texts"),
        ({"envelope": "plain", "subject": "x"}, "subject= has no effect with envelope='plain'"),
        ({"envelope": "plain", "event_type": "x"}, "event_type= has no effect with envelope='plain'"),
        ({"envelope": "plain", "event_source": "x"}, "event_source= has no effect with envelope='plain'"),
    ],
    ids=str,
)
def test_a_wrong_argument_stops_the_dag_from_being_loaded(wrong, told):
    with pytest.raises(ConfigurationError) as refused:
        operator(**wrong)
    assert told in str(refused.value)


def test_what_is_rendered_later_is_judged_later():
    operator(subject="{{ params.subject }}", event_type="{% if x %}{{% endif %}", headers={"a": "{{ x }}", "b": "{id}"})
    operator(envelope="plain", headers={"a": "{id}"}, timestamp_column="at")
