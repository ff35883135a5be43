"""Rules of runs and probes, whatever the database."""

from __future__ import annotations

from tests.mutants.rule import Rule

_DRAIN, _TICKS, _HOLES = (f"sources/query/horizons/{name}.py" for name in ("drain", "ticks", "holes"))
_INCREMENTAL, _RUNS, _ROWS = "sources/query/incremental.py", "sources/query/runs.py", "sources/rows.py"
_CASES = "contract/test_query_horizons.py"
_QUIET = "contract/test_query_quiet.py"
_BOUNDS = "unit/sources/test_horizon_ticks.py"

RUNS = (
    Rule(
        "a run reads no further than its mark",
        _DRAIN,
        "return Drained(highest, KeptHorizon(None, highest))",
        "return Drained(self.rows.highest(start, ceiling), KeptHorizon(None, highest))",
        (f"{_CASES}::test_rows_that_come_while_a_run_waits_are_above_its_mark",),
    ),
    Rule(
        "nothing is read while one of the set is open",
        _DRAIN,
        "if left := self._remaining(waiting, until):",
        "if left := {}:",
        (f"{_CASES}::test_a_writer_of_a_lower_value_is_waited_for_over_three_polls",),
    ),
    Rule(
        "a run waits for the set for a while",
        _DRAIN,
        "if (over := until - time.monotonic()) <= 0:",
        "if (over := until - time.monotonic()) <= 1000:",
        (f"{_CASES}::test_a_run_waits_for_a_short_transaction",),
    ),
    Rule(
        "the next run looks at the set that was kept, not at a new one",
        _DRAIN,
        "if kept.waiting is not None:\n            if left",
        "if False:\n            if left",
        (f"{_CASES}::test_writers_that_come_later_hold_nothing_back",),
    ),
    Rule(
        "what has drained is read while others are open",
        _DRAIN,
        "kept = KeptHorizon(None, kept.waiting.mark)",
        "kept = KeptHorizon()",
        (f"{_CASES}::test_writers_that_come_later_hold_nothing_back",),
    ),
    Rule(
        "a horizon is saved without a row too",
        _RUNS,
        "waits_otherwise = opened.horizon.facts.get(FACT) != at.facts.get(FACT)",
        "waits_otherwise = False",
        (f"{_CASES}::test_writers_that_come_later_hold_nothing_back",),
    ),
    Rule(
        "a first run that waits marks no end",
        _INCREMENTAL,
        "if plan.first and not plan.unbegun:",
        "if plan.first:",
        (f"{_CASES}::test_a_first_run_from_now_marks_the_end_once_it_knows_where_that_is",),
    ),
    Rule(
        "what has drained is kept before the last page",
        _INCREMENTAL,
        "unfinished = self._kept.drained is not None and not page.final",
        "unfinished = False",
        (f"{_CASES}::test_what_has_drained_is_read_in_pages_without_a_wait",),
    ),
    Rule(
        "ids are read up to the first hole",
        _DRAIN,
        "if has_no_room(self.rows) and",
        "if False and",
        (f"{_CASES}::test_ids_are_read_up_to_the_first_hole",),
    ),
    Rule(
        "ids are read no further than the first hole",
        _HOLES,
        "if not _is_whole(rows, low, next_end):",
        "if False:",
        (f"{_CASES}::test_ids_are_read_up_to_the_first_hole",),
    ),
    Rule(
        "only between whole numbers there is no room",
        _HOLES,
        "columns[0].kind is Kind.INTEGER and ",
        "",
        (f"{_CASES}::test_between_two_numbers_with_a_fraction_there_is_room",),
    ),
    Rule(
        "a probe keeps its mark between two looks",
        _DRAIN,
        "kept=before if before.is_set else self.kept",
        "kept=self.kept",
        (f"{_CASES}::test_a_probe_keeps_its_mark_between_two_looks_and_never_waits",),
    ),
    Rule(
        "a probe never waits",
        _DRAIN,
        "replace(self, seconds=0.0), self.looks.kept",
        "replace(self), self.looks.kept",
        (f"{_CASES}::test_a_probe_keeps_its_mark_between_two_looks_and_never_waits",),
    ),
    Rule(
        "a quiet look asks for no writers",
        _DRAIN,
        "if highest is None:\n            return Drained(None, self.kept)",
        "if highest is None and not self.writers.look():\n            return Drained(None, self.kept)",
        (_QUIET,),
    ),
    Rule(
        "an unfinished tick waits",
        _TICKS,
        "whole = before - (before - _ORIGIN) % tick if",
        "whole = before if",
        (_BOUNDS, f"{_CASES}::test_an_update_in_the_second_of_its_row_comes"),
    ),
    Rule(
        "the bound of a time is exclusive",
        _ROWS,
        "return sa.not_(self.database.beyond(self._position[: len(high)], self._bound(high), inclusive=True))",
        "return sa.not_(self.database.beyond(self._position[: len(high)], self._bound(high)))",
        (f"{_CASES}::test_an_update_in_the_second_of_its_row_comes",),
    ),
    Rule(
        "a bound in an hour that comes twice lies at its beginning",
        _TICKS,
        '_AS_TIME, zone, argument="horizon")',
        '_AS_TIME, zone, argument="horizon", high=True)',
        (_BOUNDS,),
    ),
)
