"""Ends of topics, read through an Airflow connection for a moment."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

from airflow_legacy_events.core.ports import TopicEnds, TopicTail
from airflow_legacy_events.hooks.broker import EventBrokerHook

T = TypeVar("T")


def using_tail(conn_id: str, log: logging.Logger) -> Callable[[Callable[[TopicTail], T]], T]:
    """Return a function that calls another one with the ends of a broker's topics."""

    def use(work: Callable[[TopicTail], T]) -> T:
        with closing(EventBrokerHook(conn_id).get_topic_tail(log)) as tail:
            return work(tail)

    return use


def using_ends(conn_id: str, log: logging.Logger) -> Callable[[Callable[[TopicEnds], T]], T]:
    """Return a function that calls another one with where a broker's topics end."""

    def use(work: Callable[[TopicEnds], T]) -> T:
        with closing(EventBrokerHook(conn_id).get_topic_ends(log)) as ends:
            return work(ends)

    return use
