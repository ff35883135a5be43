"""What the README shows is what is run."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_every_block_of_python_is_an_example_as_it_stands():
    blocks = re.findall(r"```python\n# (example_dags/\w+\.py)\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == README.count("```python")
    for name, text in blocks:
        assert text == (ROOT / name).read_text()


def test_every_example_is_in_it():
    assert {path.name for path in (ROOT / "example_dags").glob("*.py")} == set(
        re.findall(r"example_dags/(\w+\.py)", README)
    )


def test_every_file_that_it_links_to_is_there():
    for name in re.findall(r"\]\((?!https?:|#)([^)]+)\)", README):
        assert (ROOT / name).exists(), name
