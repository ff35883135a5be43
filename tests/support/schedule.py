"""In which order tests begin, and which of them share a worker of pytest-xdist."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.profile import REAL_AIRFLOW


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Begin with the real Airflow, in one worker: it is mostly waited for, and the others work meanwhile."""
    for item in items:
        if _real(item):
            item.add_marker(pytest.mark.xdist_group(REAL_AIRFLOW))
    items.sort(key=lambda item: not _real(item))


def _real(item: Any) -> bool:
    return "real_airflow" in item.fixturenames
