"""Rules of the open writers of MariaDB and MySQL."""

from __future__ import annotations

from tests.mutants.rule import Rule

_WRITERS = "databases/mysql/writers/"
_RULES, _LISTING, _MEMBERS = (f"{_WRITERS}{name}.py" for name in ("rules", "listing", "members"))
_ROWS, _PROCESS, _TIMES = (f"{_WRITERS}{name}.py" for name in ("row_writers", "process", "times"))
_JUDGING = f"{_WRITERS}judging.py"
_CASES = "integration/test_mysql_writers.py"
_RUNS, _DOCTOR = "contract/test_query_horizons.py", "airflow/test_doctor_databases.py"

MYSQL = (
    Rule(
        "MySQL: a transaction that has changed something counts",
        _RULES,
        "if transaction is not None and transaction.changed:",
        "if False:",
        (f"{_CASES}::test_a_lower_value_over_three_looks",),
    ),
    Rule(
        "MySQL: a session in a statement counts",
        _RULES,
        "return any(one is not None and is_writing(one, transaction, of_times=of_times) for one in clients)",
        "return False",
        (f"{_CASES}::test_an_insert_select_before_its_first_row",),
    ),
    Rule(
        "MySQL: of ids, a SELECT is not waited for",
        _RULES,
        "return _SELECT.match(client.text) is None",
        "return True",
        (f"{_CASES}::test_a_long_report_holds_back_times_alone_unless_it_is_read_only",),
    ),
    Rule(
        "MySQL: of times, a SELECT may belong to a trigger",
        _RULES,
        "if not of_times:",
        "if True:",
        (f"{_CASES}::test_a_select_that_belongs_to_an_insert",),
    ),
    Rule(
        "MySQL: of times, a read-only transaction is not waited for",
        _RULES,
        "(transaction is not None and transaction.read_only) or",
        "False or",
        (f"{_CASES}::test_a_long_report_holds_back_times_alone_unless_it_is_read_only",),
    ),
    Rule(
        "MySQL: of times, a dump is not waited for",
        _RULES,
        "client.text.startswith((_DUMP, *_OURS))",
        "client.text.startswith(_OURS)",
        (f"{_CASES}::test_sessions_of_ours_and_dumps_are_not_waited_for",),
    ),
    Rule(
        "MySQL: a lock of ours is not waited for",
        _RULES,
        "client.text.startswith((_DUMP, *_OURS))",
        "client.text.startswith(_DUMP)",
        (f"{_CASES}::test_sessions_of_ours_and_dumps_are_not_waited_for",),
    ),
    Rule(
        "MySQL: a session between two statements is at rest",
        _RULES,
        "client.command in _RESTS",
        "False",
        (f"{_CASES}::test_begun_but_unwritten_is_not_waited_for",),
    ),
    Rule(
        "MySQL: a list that is older than the question is not used",
        _LISTING,
        'if not any(is_new == "1" for is_new, *_ in rows):',
        "if not rows:",
        (f"{_CASES}::test_a_monitor_that_reads_the_list_constantly",),
    ),
    Rule(
        "MySQL: the number in the question is a new one each time",
        _LISTING,
        "secrets.token_hex(8)",
        "'0'",
        (f"{_CASES}::test_a_monitor_that_reads_the_list_constantly",),
    ),
    Rule(
        "MySQL: transactions without a session count",
        _ROWS,
        "if one.changed and one.thread not in sessions",
        "if False",
        (f"{_CASES}::test_a_prepared_transaction",),
    ),
    Rule(
        "MySQL: a statement of the look may be prepared before it is seen again",
        _MEMBERS,
        "known = {one.id for one in listing.transactions if _may_have_left(member, one, listing)}",
        "known = set()",
        (f"{_CASES}::test_a_session_that_prepares_after_the_look",),
    ),
    Rule(
        "MySQL: a member that is left out by a later look has ended",
        _MEMBERS,
        "                return may_commit(member.thread, listing, of_times=self._of_times)",
        "                return True",
        (f"{_CASES}::test_a_dump_between_two_tables_has_ended_with_the_next_one",),
    ),
    Rule(
        "MySQL: a statement that has begun a transaction is followed",
        _MEMBERS,
        "if not is_running and (found is None or not found.changed):",
        "if not is_running:",
        (f"{_RUNS}::test_a_statement_that_runs_at_the_mark_is_followed_into_its_transaction",),
    ),
    Rule(
        "MySQL: another server is refused",
        _PROCESS,
        "if before != here:",
        "if False:",
        (f"{_CASES}::test_a_server_that_does_not_know_the_transactions",),
    ),
    Rule(
        "MySQL: transactions that went back are refused",
        _PROCESS,
        "following <= highest",
        "False",
        (f"{_CASES}::test_a_server_that_does_not_know_the_transactions",),
    ),
    Rule(
        "MySQL: without PROCESS a stream is best_effort",
        _JUDGING,
        "if not facts.sees_all:",
        "if False:",
        (f"{_CASES}::test_a_login_without_process_waits_for_none_and_says_which_grant_it_needs",),
    ),
    Rule(
        "MySQL: a foreign key that changes a time is named",
        _TIMES,
        "return one.on_update.upper() in _CASCADES or one.on_delete.upper() in _NULLS",
        "return False",
        (f"{_DOCTOR}::test_the_doctor_says_what_the_run_reports[a child of a foreign key with SET NULL]",),
    ),
)
