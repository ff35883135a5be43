"""A trigger that waits is woken by a thread that hears notifications."""

import asyncio
import threading

from airflow_legacy_events.triggers import _wakeup
from airflow_legacy_events.triggers._wakeup import Wakeup


def test_wake_ups_of_many_threads_before_somebody_waits_are_one(monkeypatch):
    monkeypatch.setattr(_wakeup, "APART_SECONDS", 0.0)

    async def waited():
        wakeup = Wakeup()
        threads = [threading.Thread(target=wakeup.wake) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        await wakeup.wait(3_600)

        again = asyncio.create_task(wakeup.wait(3_600))
        done, _ = await asyncio.wait([again], timeout=4 * _wakeup.GATHER_SECONDS)
        assert not done, "a wake-up that was answered woke again"
        wakeup.wake()
        await again

    asyncio.run(waited())


def test_it_waits_no_longer_than_it_is_told_to():
    async def waited():
        await Wakeup().wait(0.01)

    asyncio.run(waited())


def test_a_wake_up_behind_the_end_of_the_loop_harms_nobody():
    async def made():
        return Wakeup()

    asyncio.run(made()).wake()
