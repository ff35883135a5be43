"""What the contracts of databases share."""

from __future__ import annotations

import pytest

from tests.support.reading import memory_world


@pytest.fixture
def database(legacy):
    """Our database object of the module's `legacy` database."""
    made = legacy.database()
    yield made
    made.close()


@pytest.fixture(params=["memory"])
def world():
    """A reader of topics, and what writes to them."""
    made = memory_world()
    yield made
    made.reader.close()
