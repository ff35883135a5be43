"""What the README and the pages of the documentation show is what is run."""

import inspect
import re
from pathlib import Path

import pytest
from airflow.sdk import BaseOperator

from airflow_legacy_events.operators.outbox import OutboxDrainOperator
from airflow_legacy_events.operators.query import IncrementalQueryOperator
from airflow_legacy_events.sources.query.facts import REMEDIES
from airflow_legacy_events.streams.directory.moves import ACCEPTED
from airflow_legacy_events.streams.specs.query import CHOICES

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


def test_every_argument_of_a_query_is_in_the_table_of_parameters():
    classes = [one for one in IncrementalQueryOperator.__mro__ if one.__module__.startswith("airflow_legacy_events.")]
    arguments = {name for one in classes for name in inspect.signature(one.__init__).parameters} - {"self", "kwargs"}
    table = (ROOT / "README.md").read_text().split("### Parameters")[1].split("\n#")[0]
    elsewhere = {"watermark_columns", "key_columns", "source_conn_id", "broker_conn_id", "stream"}
    assert arguments - elsewhere <= set(re.findall(r"`(\w+)`", table))


def test_the_page_of_checks_names_what_is_compared_and_what_goes_on():
    page = (ROOT / "docs" / "checks.md").read_text()
    facts = {name for row in re.findall(r"^\| ([^|]*) \|", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert REMEDIES.keys() <= facts
    assert set(re.findall(r"--accept (\w+)`", page)) == ACCEPTED.keys()
    assert re.findall(r'^\| `"(\w+)"` \|', page, re.MULTILINE) == list(CHOICES["on_reset"])
