"""The bell between a thread that hears notifications and a trigger that waits."""

import asyncio
import threading

from airflow_legacy_events.triggers import _bell
from airflow_legacy_events.triggers._bell import Bell


def test_rings_of_other_threads_before_and_while_somebody_waits_are_one(monkeypatch):
    monkeypatch.setattr(_bell, "APART_SECONDS", 0.0)

    async def waited():
        bell = Bell()
        threads = [threading.Thread(target=bell.ring) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        await bell.wait(3_600)

        again = asyncio.create_task(bell.wait(3_600))
        done, _ = await asyncio.wait([again], timeout=4 * _bell.GATHER_SECONDS)
        assert not done, "a ring that was answered rang again"
        bell.ring()
        await again

    asyncio.run(waited())


def test_it_waits_no_longer_than_it_is_told_to():
    async def waited():
        await Bell().wait(0.01)

    asyncio.run(waited())


def test_a_ring_behind_the_end_of_the_loop_harms_nobody():
    async def made():
        return Bell()

    asyncio.run(made()).ring()
