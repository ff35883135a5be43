"""What the tests in a browser share, and which of them are left to the long form."""

import os
from pathlib import Path

import pytest

from tests.support.profile import LONG

collect_ignore = [] if LONG else ["test_connections.py"]


@pytest.fixture
def screenshot(browser, tmp_path):
    """Keeps pictures of the module's `browser` in the folder that LEGACY_EVENTS_TEST_SCREENSHOTS names."""
    folder = Path(os.environ.get("LEGACY_EVENTS_TEST_SCREENSHOTS", tmp_path))
    return lambda name: browser.screenshot(path=folder / f"{name}.png")
