"""Rules of the open writers of PostgreSQL, and of how complete its streams are."""

from __future__ import annotations

from tests.mutants.rule import Rule

_WRITERS = "databases/postgres/writers/"
_SQL, _MEMBERS, _SERVED = (f"{_WRITERS}{name}.py" for name in ("statements", "members", "served"))
_ROWS, _IDS, _TIMES = (f"{_WRITERS}{name}.py" for name in ("row_writers", "ids", "times"))
_CASES, _BESIDE, _JUDGED = (f"integration/test_postgres_writers{name}.py" for name in ("", "_beside", "_judged"))
_UNIT = "unit/databases/test_postgres_writers.py"

POSTGRES = (
    Rule(
        "PostgreSQL: a sequence that a default names is locked by its writers",
        _SQL,
        "'pg_catalog.pg_attrdef'::pg_catalog.regclass",
        "'pg_catalog.pg_class'::pg_catalog.regclass",
        (f"{_CASES}::test_a_sequence_that_no_column_owns_counts_by_its_default",),
    ),
    Rule(
        "PostgreSQL: partitions and children count",
        _SQL,
        "SELECT inhrelid FROM tree JOIN",
        "SELECT inhparent FROM tree JOIN",
        (f"{_CASES}::test_one_that_writes_to_a_part_is_waited_for",),
    ),
    Rule(
        "PostgreSQL: a lock that is awaited counts",
        _SQL,
        "coalesce(mode OPERATOR(pg_catalog.=) 'RowExclusiveLock' AND",
        "coalesce(granted AND mode OPERATOR(pg_catalog.=) 'RowExclusiveLock' AND",
        (f"{_CASES}::test_one_that_waits_for_its_lock_is_waited_for",),
    ),
    Rule(
        "PostgreSQL: locks of other databases do not count",
        _SQL,
        "AND database OPERATOR(pg_catalog.=) {here}, false) AS writing",
        ", false) AS writing",
        (f"{_BESIDE}::test_of_a_query_writers_of_other_databases_do_not_count",),
    ),
    Rule(
        "PostgreSQL: of times, a prepared transaction counts by its locks",
        _SQL,
        "WHERE l.writing AND (l.pid IS NULL OR EXISTS",
        "WHERE l.writing AND (EXISTS",
        (f"{_CASES}::test_a_prepared_one_is_waited_for_whenever_it_began",),
    ),
    Rule(
        "PostgreSQL: of times, a session of ours that writes counts",
        _SQL,
        "WHERE a.pid OPERATOR(pg_catalog.=) l.pid AND {reads}))",
        "WHERE false AND {reads}))",
        (f"{_BESIDE}::test_a_session_of_ours_that_writes_is_waited_for",),
    ),
    Rule(
        "PostgreSQL: a session that shows no times counts",
        _SQL,
        "AND l.granted AND a.xact_start IS NULL",
        "AND l.granted AND false",
        (
            f"{_CASES}::test_a_session_that_shows_no_times_is_waited_for",
            f"{_BESIDE}::test_without_a_right_each_transaction_of_others_is_waited_for",
        ),
    ),
    Rule(
        "PostgreSQL: our readers and dumps hold nothing back",
        _SQL,
        "AND NOT {cleans} AND NOT coalesce({reads}, false)",
        "AND NOT {cleans} AND NOT coalesce({reads} AND false, false)",
        (
            f"{_BESIDE}::test_our_own_full_load_and_a_dump_hold_nothing_back",
            f"{_BESIDE}::test_our_lock_and_our_snapshot_hold_nothing_back",
        ),
    ),
    Rule(
        "PostgreSQL: each session of ours has its name",
        "databases/postgres/sessions.py",
        "return named(self._dialect.create_connect_args(self.url)[1])",
        "return dict(self._dialect.create_connect_args(self.url)[1])",
        (f"{_BESIDE}::test_our_own_full_load_and_a_dump_hold_nothing_back",),
    ),
    Rule(
        "PostgreSQL: a statement that commits keeps its time",
        _SQL,
        "SELECT least(a.xact_start, a.query_start), a.pid",
        "SELECT a.xact_start, a.pid",
        (f"{_CASES}::test_a_statement_that_commits_keeps_its_time",),
    ),
    Rule(
        "PostgreSQL: sessions of other databases hold no times back",
        _SQL,
        'sql.SQL("""a.datid OPERATOR(pg_catalog.=) {here}',
        'sql.SQL("""coalesce(a.datid OPERATOR(pg_catalog.=) {here}, true) IS NOT NULL',
        (f"{_CASES}::test_writers_of_other_tables_and_databases_are_not_waited_for",),
    ),
    Rule(
        "PostgreSQL: a sender of replication is no writer",
        _SQL,
        "pg_catalog.upper(a.query), 'START_REPLICATION'), false) AND {other}",
        "pg_catalog.upper(a.query), 'START_REPLICATION') AND false, false) AND {other}",
        (f"{_BESIDE}::test_a_sender_of_replication_that_decodes_is_no_writer",),
    ),
    Rule(
        "PostgreSQL: the mark of times stays behind the clock by the margin",
        _ROWS,
        "mark = (before - clock_margin.CLOCK_MARGIN)",
        "mark = before",
        (f"{_CASES}::test_the_mark_of_times_stays_behind_the_clock",),
    ),
    Rule(
        "PostgreSQL: a look is of now, inside a snapshot too",
        _SQL,
        'FRESH = "SELECT pg_catalog.pg_stat_clear_snapshot()"',
        'FRESH = "SELECT 1"',
        (f"{_BESIDE}::test_a_look_inside_a_snapshot_is_of_now",),
    ),
    Rule(
        "PostgreSQL: one that was prepared meanwhile is open still",
        _MEMBERS,
        'local.get(place) or kept.get(parts["virtual"]) or lost',
        "local.get(place) or lost",
        (f"{_CASES}::test_one_that_is_prepared_after_the_look_is_waited_for",),
    ),
    Rule(
        "PostgreSQL: after a restart a prepared transaction may be one of the set",
        _MEMBERS,
        'local.get(place) or kept.get(parts["virtual"]) or lost',
        'local.get(place) or kept.get(parts["virtual"])',
        (f"{_UNIT}::test_a_restart_ends_local_ones",),
    ),
    Rule(
        "PostgreSQL: a session is followed while one statement may have several transactions",
        _MEMBERS,
        'place = parts["slot" if parts["on"] else "virtual"], int(parts["pid"])',
        'place = parts["virtual"], int(parts["pid"])',
        (
            f"{_UNIT}::test_what_is_open_still",
            f"{_BESIDE}::test_without_a_right_a_statement_that_commits_is_waited_for",
        ),
    ),
    Rule(
        "PostgreSQL: another server does not know the set",
        _SERVED,
        'if before.get("system") != now.system:',
        "if False:",
        (f"{_CASES}::test_another_server_is_refused_by_name",),
    ),
    Rule(
        "PostgreSQL: a server that was set back does not know the set",
        _SERVED,
        "if position and (why := behind(position)):",
        "if False and (why := behind(position)):",
        (f"{_UNIT}::test_a_server_that_does_not_know_them_is_refused",),
    ),
    Rule(
        "PostgreSQL: transactions that went back are not those of the set",
        _SERVED,
        'if _number(now.next_xid) < _number(before.get("next_xid")):',
        "if False:",
        (f"{_UNIT}::test_a_server_that_does_not_know_them_is_refused",),
    ),
    Rule(
        "PostgreSQL: a standby does not know the set of its primary",
        _SERVED,
        'if now.standby and not before.get("standby"):',
        "if False:",
        (f"{_UNIT}::test_a_server_that_does_not_know_them_is_refused",),
    ),
    Rule(
        "PostgreSQL: a sequence with a cache is best_effort",
        _IDS,
        "if sequence.cache != 1:",
        "if False:",
        (f"{_JUDGED}::test_ids",),
    ),
    Rule(
        "PostgreSQL: a sequence with another increment is best_effort",
        _IDS,
        "if sequence.increment != 1:",
        "if False:",
        (f"{_JUDGED}::test_ids",),
    ),
    Rule(
        "PostgreSQL: a sequence that cycles is best_effort",
        _IDS,
        "if sequence.cycles:",
        "if False:",
        (f"{_JUDGED}::test_ids",),
    ),
    Rule(
        "PostgreSQL: times without the clock are best_effort",
        _TIMES,
        "found = by_default(table.columns.get(column, Given()).default)",
        'found = by_default("now()")',
        (f"{_JUDGED}::test_times",),
    ),
    Rule(
        "PostgreSQL: times in another zone are best_effort",
        _TIMES,
        "if clock.zone and canonical(clock.zone) != canonical(of.timezone):",
        "if False:",
        (f"{_JUDGED}::test_times",),
    ),
    Rule(
        "PostgreSQL: naive times name the zone of sessions",
        _TIMES,
        "by_session = of.column.kind is not Kind.INSTANT and not clock.zone",
        "by_session = False",
        (f"{_JUDGED}::test_times",),
    ),
    Rule(
        "PostgreSQL: a table of a subscription is best_effort",
        f"{_WRITERS}judging.py",
        "if subscribed := next((one.name for one in facts.tables if one.subscribed), None):",
        "if subscribed := None:",
        (f"{_JUDGED}::test_rows_that_come_from_elsewhere",),
    ),
)
