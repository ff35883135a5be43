"""What the contracts of databases share."""

from __future__ import annotations

import pytest


@pytest.fixture
def database(legacy):
    """Our database object of the module's `legacy` database."""
    made = legacy.database()
    yield made
    made.close()
