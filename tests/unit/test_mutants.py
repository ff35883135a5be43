"""The table of mutants: each rule is where it says, and so are its cases."""

from __future__ import annotations

import pytest

from tests.mutants.rule import ROOT
from tests.mutants.table import RULES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_can_be_taken_out_and_names_its_cases(rule):
    assert rule.path(ROOT).read_text().count(rule.text) == 1
    assert rule.tests
    for one in rule.tests:
        file, _, case = one.partition("::")
        assert f"def {case.partition('[')[0]}" in (ROOT / "tests" / file).read_text()


def test_no_rule_is_there_twice():
    names = [rule.name for rule in RULES]
    assert sorted(set(names)) == sorted(names)
