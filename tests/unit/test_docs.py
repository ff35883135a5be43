"""The README and the pages of the documentation: what they show is run, and what is public is in them."""

import inspect
import re
from pathlib import Path

import pytest
import yaml
from airflow.sdk import BaseOperator

from airflow_legacy_events import errors
from airflow_legacy_events.operators import connect as connect_operators
from airflow_legacy_events.operators.changelog import ChangeLogDrainOperator
from airflow_legacy_events.operators.outbox import OutboxDrainOperator
from airflow_legacy_events.operators.query import IncrementalQueryOperator
from airflow_legacy_events.operators.sink import TopicToTableOperator
from airflow_legacy_events.operators.slots import ReplicationSlotCheckOperator
from airflow_legacy_events.provider_info import get_provider_info
from airflow_legacy_events.sensors.connect import ConnectorCaughtUpSensor, ConnectorStateSensor
from airflow_legacy_events.sensors.outbox import PendingOutboxSensor
from airflow_legacy_events.sensors.pending import PendingEventsSensor
from airflow_legacy_events.sources.query.facts import REMEDIES
from airflow_legacy_events.streams.directory.moves import ACCEPTED
from airflow_legacy_events.streams.specs.query import CHOICES
from airflow_legacy_events.triggers.connect import ConnectorCaughtUpTrigger, ConnectorStateTrigger
from airflow_legacy_events.triggers.outbox import PendingOutboxTrigger
from airflow_legacy_events.triggers.pending import PendingEventsTrigger

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("**/*.md"))]
OPERATORS = (
    ChangeLogDrainOperator,
    OutboxDrainOperator,
    IncrementalQueryOperator,
    ReplicationSlotCheckOperator,
    TopicToTableOperator,
)
TASKS = {one.__name__: one for one in OPERATORS}
REPOSITORY = re.compile(
    r"https://(?:github\.com/airflow-legacy-events/airflow-legacy-events/blob"
    r"|raw\.githubusercontent\.com/airflow-legacy-events/airflow-legacy-events)/main/([^)#\s]+)"
)
PUBLIC = {
    "operators": [*OPERATORS, *(getattr(connect_operators, name) for name in connect_operators.__all__)],
    "sensors-and-triggers": [
        ConnectorCaughtUpSensor,
        ConnectorStateSensor,
        ConnectorCaughtUpTrigger,
        ConnectorStateTrigger,
        PendingOutboxSensor,
        PendingEventsSensor,
        PendingOutboxTrigger,
        PendingEventsTrigger,
    ],
}


def text_of(page: str) -> str:
    return (DOCS / f"{page}.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_python_is_an_example_as_it_stands_or_a_task_that_is_taken(page):
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        if named := re.match(r"# (example_dags/\w+\.py)\n", block):
            assert block[named.end() :] == (ROOT / named[1]).read_text()
        else:
            assert isinstance(eval(block, dict(TASKS)), BaseOperator)


def test_every_example_is_shown_on_a_page():
    shown = {name for page in PAGES for name in re.findall(r"```python\n# example_dags/(\w+\.py)", page.read_text())}
    assert {path.name for path in (ROOT / "example_dags").glob("*.py")} == shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_links_to_is_there(page):
    text = page.read_text()
    for name in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)(?:#[^)]*)?\)", text):
        assert (page.parent / name).exists(), name
    for name in REPOSITORY.findall(text):
        assert (ROOT / name).exists(), name


def test_the_readme_is_a_door_and_its_links_work_on_a_package_page():
    text = README.read_text()
    assert len(text.splitlines()) <= 190
    assert not re.findall(r"\]\((?!https?:|#)", text)


def test_every_page_is_in_the_navigation():
    def pages(entries):
        for entry in entries:
            if isinstance(entry, str):
                yield entry
            else:
                for below in entry.values():
                    yield from pages(below if isinstance(below, list) else [below])

    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    assert sorted(pages(nav)) == sorted(str(page.relative_to(DOCS)) for page in DOCS.glob("**/*.md"))


@pytest.mark.parametrize(("page", "one"), [(page, one) for page, found in PUBLIC.items() for one in found])
def test_every_argument_of_what_is_public_is_described_where_the_reference_finds_it(page, one):
    classes = [one]
    for base in one.__mro__[1:]:
        passes_on = "kwargs" in inspect.signature(classes[-1].__init__).parameters
        if passes_on and base.__module__.startswith("airflow_legacy_events."):
            classes.append(base)
    arguments = {name for base in classes for name in inspect.signature(base.__init__).parameters} - {
        "self",
        "args",
        "kwargs",
    }
    shown = [
        base for base in classes if f"::: {base.__module__}.{base.__name__}\n" in f"{text_of(f'reference/{page}')}\n"
    ]
    described = {name for base in shown for name in re.findall(r":param (\w+):", base.__doc__ or "")}
    assert arguments == described


def test_every_public_module_is_named_in_the_reference():
    info = get_provider_info()
    modules = [
        module
        for kind in ("operators", "sensors", "triggers")
        for one in info[kind]
        for module in one["python-modules"]
    ]
    text = "".join(page.read_text() for page in (DOCS / "reference").glob("*.md"))
    assert [module for module in modules if module not in text] == []


@pytest.mark.parametrize("page", ["reference/errors", "operations/troubleshooting"])
def test_every_class_of_error_is_explained(page):
    assert set(re.findall(r"^\| `(\w+Error)` \|", text_of(page), re.MULTILINE)) == set(errors.__all__)


def test_the_commonest_messages_are_messages():
    """Each that troubleshooting explains is one that the sources hold."""
    page = text_of("operations/troubleshooting").split("## The ten commonest messages")[1]
    messages = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    sources = " ".join(path.read_text() for path in (ROOT / "airflow_legacy_events").glob("**/*.py"))
    joined = re.sub(r'"\s+f?"', "", sources)
    assert len(messages) == 10
    for message in messages:
        for part in message.split(" … "):
            assert part in joined, part


def test_the_page_of_checks_names_what_is_compared_and_what_goes_on():
    page = text_of("concepts/checks")
    facts = {name for row in re.findall(r"^\| ([^|]*) \|", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert REMEDIES.keys() <= facts
    assert set(re.findall(r"--accept (\w+)`", page)) == ACCEPTED.keys()
    assert re.findall(r'^\| `"(\w+)"` \|', page, re.MULTILINE) == list(CHOICES["on_reset"])


def test_every_key_of_a_report_is_explained():
    from airflow_legacy_events.core.report import Report

    page = text_of("reference/report")
    named = {name for row in re.findall(r"^\| ([^|]*) \|", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert Report("s").to_dict().keys() <= named


def test_every_setting_is_explained():
    page = text_of("reference/settings")
    for option in get_provider_info()["config"]["legacy_events"]["options"]:
        assert f"`{option}`" in page


def test_every_decision_is_short_listed_and_says_when_to_look_again():
    page = text_of("development/decisions")
    entries = re.findall(r"^### ([^\n]*)\n(.*?)(?=\n###? |\Z)", page, re.MULTILINE | re.DOTALL)
    assert [title for title, _ in entries] == re.findall(r"^- \[(.*)\]\(#", page, re.MULTILINE)
    for title, text in entries:
        assert "*Revisit" in text, title
        assert len(text.strip().splitlines()) <= 12, title
