"""The list of transactions in the text of SHOW ENGINE INNODB STATUS."""

from __future__ import annotations

from airflow_legacy_events.databases.mysql.writers.status import next_number, transactions_in
from airflow_legacy_events.databases.mysql.writers.transactions import Transaction

TEXT = """
TRANSACTIONS
------------
Trx id counter 90
LIST OF TRANSACTIONS FOR EACH SESSION:
---TRANSACTION 82, ACTIVE 1 sec
2 lock struct(s), heap size 1128, 1 row lock(s)
MariaDB thread id 19, OS thread handle 139703344641728, query id 341 localhost 127.0.0.1 admin
INSERT INTO t VALUES ('
--------
---TRANSACTION 7, not started
')
---TRANSACTION 79, ACTIVE (PREPARED) 1 sec
1 lock struct(s), heap size 1128, 0 row lock(s), undo log entries 1
---TRANSACTION (0x7f0f4d5e3780), ACTIVE 1 sec
0 lock struct(s), heap size 1128, 0 row lock(s)
MariaDB thread id 17, OS thread handle 139703370663616, query id 335 localhost 127.0.0.1 admin
---TRANSACTION (0x7f0f4d5e1680), not started
0 lock struct(s), heap size 1128, 0 row lock(s)
--------
FILE I/O
"""


def test_what_is_open_is_found_whatever_statements_say():
    assert transactions_in(TEXT) == [
        Transaction("82", 19, None, changed=True),
        Transaction("79", 0, None, changed=True),
        Transaction("(0x7f0f4d5e3780)", 17, None, changed=False),
    ]
    assert next_number(TEXT) == 90


def test_a_text_that_is_cut_is_no_list():
    assert transactions_in(TEXT.replace("---TRANSACTION 79", "\n... truncated...\n---TRANSACTION 79")) is None
    assert transactions_in("FAIL TO OBTAIN LOCK MUTEX, SKIP LOCK INFO PRINTING") is None
    assert next_number("") is None
