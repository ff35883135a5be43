"""Contexts that last too long are cut, by one thread of the process."""

from __future__ import annotations

import os
import threading

import pytest

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases import deadline, watchdog
from airflow_legacy_events.databases.watchdog import WATCHDOG, Watchdog
from tests.services.base import wait_until


def threads(name: str = "watchdog") -> list[str]:
    return [one.name for one in threading.enumerate() if one.name == f"legacy-events-{name}"]


def test_a_context_that_lasts_too_long_is_cut_until_it_ends():
    calls, often = [], threading.Event()

    def cut() -> None:
        calls.append(1)
        if len(calls) == 3:
            often.set()
        raise OSError("it is gone already")

    with WATCHDOG.watching(0.01, cut) as watch:
        assert often.wait(10)
        assert watch.over
    ended = len(calls)
    wait_until(lambda: not threads("cut"), "the end of the thread that cuts")
    assert len(calls) == ended


def test_a_context_that_ends_in_time_is_left_alone():
    with WATCHDOG.watching(60, pytest.fail) as watch:
        pass
    assert not watch.over


def test_a_cut_that_blocks_delays_no_other():
    blocked, free, cut = threading.Event(), threading.Event(), threading.Event()

    def block() -> None:
        blocked.set()
        free.wait(10)

    def wait() -> None:
        with WATCHDOG.watching(0.01, block):
            assert cut.wait(10)
            free.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert blocked.wait(10)
    with WATCHDOG.watching(0.01, cut.set) as watch:
        assert cut.wait(10)
    waiting.join(10)
    assert (waiting.is_alive(), watch.over) == (False, True)


def test_a_deadline_that_comes_earlier_than_all_others_is_kept():
    cut = threading.Event()
    with WATCHDOG.watching(3_600, pytest.fail), WATCHDOG.watching(0.01, cut.set):
        assert cut.wait(10)


def test_any_number_of_contexts_needs_one_thread():
    with WATCHDOG.watching(60, pytest.fail), WATCHDOG.watching(50, pytest.fail), WATCHDOG.watching(40, pytest.fail):
        assert len(threads()) == 1


def test_no_thread_runs_before_a_context_begins():
    before = len(threads())
    dog = Watchdog()
    assert len(threads()) == before
    with dog.watching(60, pytest.fail):
        assert len(threads()) == before + 1


def test_a_process_that_was_forked_watches_with_a_thread_of_its_own():
    with WATCHDOG.watching(0.2, pytest.fail):
        child = os.fork()
        if child == 0:
            cut = threading.Event()
            with WATCHDOG.watching(0.01, cut.set):
                os._exit(0 if cut.wait(10) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def answered(cut: threading.Event, seconds: float) -> None:
    with deadline.answering("crm", "reading", seconds, cut.set):
        cut.wait(seconds * 1_000)
        raise ConnectionError("a driver's word for it")


def test_the_error_of_a_session_that_was_cut_says_what_it_waited_for(monkeypatch):
    monkeypatch.setattr(watchdog, "GRACE_SECONDS", 0.05)
    with pytest.raises(SourceError, match=r"connection 'crm' did not answer for 0\.06 s while reading.* was closed"):
        answered(threading.Event(), 0.01)


def test_another_error_stays_what_it_is():
    over = threading.Event()
    over.set()
    with pytest.raises(ConnectionError):
        answered(over, 60)
