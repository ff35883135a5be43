from __future__ import annotations

import threading
import weakref

import pytest

from airflow_legacy_events.core.read_ahead import ReadAhead
from airflow_legacy_events.core.stop import Stop


def test_all_items_come_in_order():
    with ReadAhead((number for number in range(1000)), Stop()) as items:
        assert list(items) == list(range(1000))


def test_an_error_comes_where_its_item_would_have_come():
    def failing():
        yield from (1, 2)
        raise ValueError("third")

    seen = []
    with pytest.raises(ValueError, match="third"), ReadAhead(failing(), Stop()) as items:
        seen.extend(items)
    assert seen == [1, 2]


def test_no_more_than_the_depth_is_made_ahead():
    made, second, begun_too_early = [], threading.Event(), threading.Event()

    def counting():
        for number in range(100):
            made.append(number)
            if number == 2:
                second.set()
            if number == 3:
                begun_too_early.set()
            yield number

    with ReadAhead(counting(), Stop(), depth=2) as items:
        assert next(items) == 0
        assert second.wait(10)
        assert not begun_too_early.wait(0.3)
        assert made == [0, 1, 2]


def test_leaving_early_ends_the_thread_and_closes_what_it_read():
    closed = threading.Event()

    def endless():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    ahead = ReadAhead(endless(), Stop())
    with ahead as items:
        next(items)

    assert closed.wait(10)
    ahead._thread.join(10)
    assert not ahead._thread.is_alive()


def test_a_source_that_fails_at_its_end_after_everybody_left_is_silent(monkeypatch):
    noise = []
    monkeypatch.setattr(threading, "excepthook", noise.append)

    def stubborn():
        try:
            while True:
                yield 0
        finally:
            raise ValueError("too late")

    ahead = ReadAhead(stubborn(), Stop())
    with ahead as items:
        next(items)

    ahead._thread.join(10)
    assert noise == []


def test_after_a_stop_nothing_more_is_handed_out():
    stop = Stop()
    with ReadAhead((number for number in range(1000)), stop) as items:
        assert next(items) == 0
        stop.request()
        assert list(items) == []


def test_nothing_is_made_beside_a_large_item():
    made, second, third = [], threading.Event(), threading.Event()

    def counting():
        for number in range(4):
            made.append(number)
            (threading.Event(), second, third, threading.Event())[number].set()
            yield number

    with ReadAhead(counting(), Stop(), alone=lambda number: number == 1) as items:
        assert next(items) == 0
        assert second.wait(10), "it is not known to be large before it is made"
        assert next(items) == 1
        assert not third.wait(0.3)
        assert made == [0, 1]
        assert list(items) == [2, 3]


def test_a_large_item_that_is_the_last_one_ends_the_items():
    with ReadAhead((number for number in range(3)), Stop(), alone=lambda _: True) as items:
        assert list(items) == [0, 1, 2]


def test_an_item_is_let_go_of_before_the_next_is_made():
    kept = []

    class Item:
        pass

    def making():
        for _ in range(3):
            item = Item()
            kept.append(weakref.ref(item))
            yield item
            del item
            alive.append(sum(one() is not None for one in kept))

    alive = []
    with ReadAhead(making(), Stop(), alone=lambda _: True) as items:
        for item in items:
            del item
    assert alive == [0, 0, 0]
