"""The sentences that all databases share."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from airflow_legacy_events.databases import errors


def test_a_reason_is_one_line_of_the_driver():
    driver = RuntimeError("connection refused\n\tIs the server\n  running?\n")
    assert errors.one_line(driver) == "connection refused Is the server running?"
    assert errors.one_line(sa.exc.DBAPIError("SELECT secret", {}, driver)) == errors.one_line(driver)


@pytest.mark.parametrize("column", ["at", None])
def test_text_in_another_encoding_is_told_with_its_column_and_how_to_read_it(column):
    error = errors.unreadable("crm", column, "with sql=: CAST({name} AS BINARY) AS {name}", "Unicode")
    name = column or "x"
    assert ("column 'at'" if column else "a text column") in str(error)
    assert "can't be read as Unicode" in str(error)
    assert str(error).endswith(f"Fix such rows, or read the column with sql=: CAST({name} AS BINARY) AS {name}")
    assert not error.retry_helps


def test_a_refused_query_may_have_a_hint():
    plain = "connection 'crm' refused the query: no such column. Nothing was read; correct table= or sql="
    assert str(errors.refused_query("crm", "no such column")) == plain
    hinted = plain.replace("Nothing", "It is read in brackets. Nothing")
    assert str(errors.refused_query("crm", "no such column", "It is read in brackets.")) == hinted
