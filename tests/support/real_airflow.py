"""The real Airflow of a run of the tests, a plugin: it is mostly waited for, so it begins first, in one worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.support.profile import REAL_AIRFLOW

_STARTED = pytest.StashKey[ExitStack]()


@pytest.fixture(scope="session")
def real_airflow(request: pytest.FixtureRequest, postgres: Any, topics: Any) -> Iterator[Any]:
    """All its processes; they take most of a minute to start, and end behind the last test that has them."""
    from tests.support.deployment import deployment

    with ExitStack() as stack:
        request.session.stash[_STARTED] = stack
        yield stack.enter_context(deployment(postgres, topics))


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Put its tests into one group, before all others."""
    for item in items:
        if _uses(item):
            item.add_marker(pytest.mark.xdist_group(REAL_AIRFLOW))
    items.sort(key=lambda item: not _uses(item))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: Any, nextitem: Any) -> None:
    """End it behind its last test: beside the others it would cost them a seventh of a core."""
    started = item.session.stash.get(_STARTED, None)
    if started and _uses(item) and not (nextitem and _uses(nextitem)):
        started.close()


def _uses(item: Any) -> bool:
    return "real_airflow" in item.fixturenames
