"""Sentences of servers about a missing right, as they word them, and the GRANT that is made of each."""

from __future__ import annotations

import pytest

from airflow_legacy_events.databases.generic.rights import missing

TOLD = {
    "no permission for SELECT access to TABLE ORDERS": "GRANT SELECT ON ORDERS TO reader",
    "no permission for read/select access to VIEW ORDERS": "GRANT SELECT ON ORDERS TO reader",
    "[42000] The SELECT permission was denied on the object 'orders', database 'crm', schema 'dbo'. (229)": (
        "GRANT SELECT ON dbo.orders TO reader"
    ),
    "The SELECT permission was denied on the column 'ssn' of the object 'person', database 'crm', schema 'dbo'.": (
        "GRANT SELECT (ssn) ON dbo.person TO reader"
    ),
    'SQL0551N  The statement failed because the authorization ID "R" does not have the required authorization or'
    ' privilege to perform operation "SELECT" on object "CRM.ORDERS".  SQLSTATE=42501': (
        "GRANT SELECT ON CRM.ORDERS TO reader"
    ),
    "permission denied for table orders": "GRANT SELECT ON orders TO reader",
    "(1143, \"SELECT command denied to user 'r'@'h' for column 'ssn' in table 'person'\")": (
        "GRANT SELECT (ssn) ON person TO reader"
    ),
}


@pytest.mark.parametrize("told", TOLD)
def test_a_right_that_a_server_names_becomes_a_grant(told):
    assert missing(Exception(told), "reader") == [TOLD[told]]


@pytest.mark.parametrize("told", ["division by zero", "ORA-01031: insufficient privileges", "no such table: orders"])
def test_of_any_other_sentence_nothing_is_guessed(told):
    assert missing(Exception(told), "reader") == []
