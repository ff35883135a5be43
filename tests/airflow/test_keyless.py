"""A table without a key inside Airflow, from a SQLite source to a real broker."""

import pytest

from tests.airflow import metadata
from tests.airflow.test_query_operator import dag_id, dag_text, run  # noqa: F401  fixtures

LINES = ("same", "same", "other", "same")


@pytest.fixture
def log_lines(shop):
    shop.execute("CREATE TABLE log_lines (at timestamp NOT NULL, line text)")
    for line in LINES:
        shop.execute("INSERT INTO log_lines VALUES ('2026-11-03 08:00:00', ?)", (line,))


def test_equal_rows_arrive_without_a_key_and_each_with_an_id_of_its_own(log_lines, broker, run, topic):  # noqa: F811
    report = metadata.pulled(
        run(table="log_lines", watermark_columns=["at"], key_columns=[], source_timezone="UTC"), "publish"
    )
    messages = broker.read(topic)
    assert (report["events"], report["target_reached"]) == (4, True)
    assert sorted(message.event["data"]["line"] for message in messages) == sorted(LINES)
    assert {message.key for message in messages} == {None}
    assert len({message.event["id"] for message in messages}) == 4
