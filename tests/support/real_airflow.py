"""The real Airflow of a run of the tests, a plugin: it is mostly waited for, so it begins first, in one worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

GROUP = ("tests/airflow/real/", "tests/browser/")
_STARTED = pytest.StashKey[ExitStack]()


@pytest.fixture(scope="session")
def real_airflow(request: pytest.FixtureRequest, postgres: Any, topics: Any) -> Iterator[Any]:
    """All its processes; they take most of a minute to start, and end behind the last test that has them."""
    from tests.support.deployment import deployment

    with ExitStack() as stack:
        request.session.stash[_STARTED] = stack
        yield stack.enter_context(deployment(postgres, topics))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: Any, log: Any) -> Any:
    """Give each test to the worker that is free, the group as a whole; the largest group comes first."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            # pytest-xdist's own groups are put into the names of tests, which pytest 9.2 does not allow.
            return GROUP[0] if nodeid.startswith(GROUP) else nodeid

    return Scheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: Any, nextitem: Any) -> None:
    """End it behind its last test: beside the others it would cost them a seventh of a core."""
    started = item.session.stash.get(_STARTED, None)
    if started and item.nodeid.startswith(GROUP) and not (nextitem and nextitem.nodeid.startswith(GROUP)):
        started.close()
