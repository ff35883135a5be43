"""All rules, with the case that each of them is for."""

from __future__ import annotations

from tests.mutants.rule import Rule
from tests.mutants.rules_of_mysql import MYSQL
from tests.mutants.rules_of_postgres import POSTGRES
from tests.mutants.rules_of_runs import RUNS

RULES: tuple[Rule, ...] = (*RUNS, *POSTGRES, *MYSQL)
