"""What the README and the pages of the documentation show is what is run."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_python_is_an_example_as_it_stands(page):
    text = page.read_text()
    blocks = re.findall(r"```python\n# (example_dags/\w+\.py)\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == text.count("```python")
    for name, block in blocks:
        assert block == (ROOT / name).read_text()


def test_every_example_is_on_a_page():
    named = {name for page in PAGES for name in re.findall(r"example_dags/(\w+\.py)", page.read_text())}
    assert {path.name for path in (ROOT / "example_dags").glob("*.py")} == named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_it_links_to_is_there(page):
    for name in re.findall(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / name).exists(), name
