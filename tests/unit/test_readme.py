"""What the README and the pages of the documentation show is what is run."""

import re
from pathlib import Path

import pytest
from airflow.sdk import BaseOperator

from airflow_legacy_events.operators.outbox import OutboxDrainOperator
from airflow_legacy_events.operators.query import IncrementalQueryOperator

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
TASKS = {"OutboxDrainOperator": OutboxDrainOperator, "IncrementalQueryOperator": IncrementalQueryOperator}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_python_is_an_example_as_it_stands_or_a_task_that_is_taken(page):
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        if named := re.match(r"# (example_dags/\w+\.py)\n", block):
            assert block[named.end() :] == (ROOT / named[1]).read_text()
        else:
            assert isinstance(eval(block, dict(TASKS)), BaseOperator)


def test_every_example_is_on_a_page():
    named = {name for page in PAGES for name in re.findall(r"example_dags/(\w+\.py)", page.read_text())}
    assert {path.name for path in (ROOT / "example_dags").glob("*.py")} == named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_it_links_to_is_there(page):
    for name in re.findall(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / name).exists(), name
