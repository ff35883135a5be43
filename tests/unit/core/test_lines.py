"""Errors in the lines in which Airflow's page shows them: what to do is never cut off."""

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import airflow_legacy_events
from airflow_legacy_events.core.lines import WIDTH, in_lines

SOURCES = sorted(Path(airflow_legacy_events.__file__).parent.rglob("*.py"))
SAMPLE = "legacy_crm.orders@legacy.orders"
NAME = len("ConfigurationError: ")


def messages():
    """Every text that an error of ours is made of, with a name in the place of what only a run knows."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).endswith("Error"):
                text = _text(node.args[0])
                if text:
                    yield pytest.param(text, id=f"{path.name}:{node.lineno}")


def _text(node):
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(one.value if isinstance(one, ast.Constant) else SAMPLE for one in node.values)
    return ""


def test_there_are_messages():
    assert len(list(messages())) > 200


@pytest.mark.parametrize("text", list(messages()))
def test_each_sentence_of_an_error_begins_a_line_and_no_line_is_cut_off(text):
    lines = [line for line in in_lines(text, NAME).split("\n") if not re.match("(ALTER|CREATE|GRANT) ", line)]

    assert [line for line in lines[1:] if len(line) > WIDTH and " " in re.sub("`[^`]*`", "x", line.strip())] == []
    assert len(lines[0]) <= WIDTH - NAME or " " not in lines[0]
    last = re.split(r"(?<=\.) (?=[A-Z])", text.partition("\n")[0])[-1]
    assert any(line.startswith(last.split()[0]) for line in in_lines(text, NAME).split("\n"))


@given(st.text(alphabet="ab .,;:A`'\"-é\t", max_size=400))
def test_no_word_is_lost_or_broken(text):
    assert in_lines(text).split() == text.split()


@given(st.text(alphabet="ab .A`", max_size=400))
def test_lines_are_made_once(text):
    once = in_lines(text, NAME)

    assert in_lines(once, NAME) == once


def test_a_command_to_be_copied_stays_in_one_line():
    command = "`airflow legacy-events watermark set legacy_crm.orders@legacy.orders '2026-11-01 00:00:00+00' 0`"
    text = f"the watermark of stream 'legacy_crm.orders@legacy.orders' is lost. Write it again with {command}"

    assert in_lines(text, NAME).split("\n") == [
        "the watermark of stream",
        "  'legacy_crm.orders@legacy.orders' is lost.",
        "Write it again with",
        f"  {command}",
    ]


def test_a_list_of_faults_and_a_statement_keep_their_lines():
    grant = f"GRANT SELECT (id, note, {'x' * 60}) ON sales.orders TO reader"
    text = f"2 problems were found before anything was read:\n1. one. Do this\n2. run the GRANT below:\n{grant}"

    assert in_lines(text, NAME).split("\n") == [
        "2 problems were found before anything was read:",
        "1. one.",
        "Do this",
        "2. run the GRANT below:",
        grant,
    ]


def test_no_number_has_separators_of_thousands():
    """Some have, or all: logs, errors and reports are read side by side."""
    found = [
        f"{path.name}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FormattedValue)
        and node.format_spec
        and re.search(
            "[,_]",
            "".join(str(getattr(one, "value", "")) for one in node.format_spec.values if isinstance(one, ast.Constant)),
        )
    ]

    assert found == []
