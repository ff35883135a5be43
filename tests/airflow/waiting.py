"""A trigger that runs as in a triggerer, and the outbox in PostgreSQL that it waits for."""

import asyncio
import contextlib
import datetime as dt
import threading

from psycopg.conninfo import conninfo_to_dict

from airflow_legacy_events.hooks.database import LegacyDatabaseHook
from airflow_legacy_events.streams.listening import LISTENERS
from airflow_legacy_events.triggers.outbox import PendingOutboxTrigger
from tests.airflow import metadata
from tests.services.base import wait_until

HOUR = dt.timedelta(hours=1)
OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def connect(database, conn_id, **changed):
    parts = conninfo_to_dict(database.dsn)
    fields = {"host": parts["host"], "port": int(parts["port"]), "login": parts["user"], **changed}
    metadata.put_connection(
        conn_id, conn_type="postgres", password=parts.get("password"), schema=database.name, **fields
    )


class Outbox:
    """An outbox in PostgreSQL behind a connection of its own."""

    def __init__(self, database, conn_id, channel="news", table="outbox"):
        self.execute, self.conn_id, self.channel, self.table = database.execute, conn_id, channel, table
        connect(database, conn_id)
        self.execute(
            f"CREATE TABLE {table}"
            " (id bigint PRIMARY KEY, aggregatetype text, aggregateid text, type text, payload text)"
        )

    def add(self, number, notifications=1):
        """Insert a row; the transaction tells so a number of times, each time in other words."""
        self.execute(
            f"BEGIN; INSERT INTO {self.table} VALUES ({number}, 'order', '1', 'placed', '{{}}');"
            f" SELECT pg_notify('{self.channel}', n::text) FROM generate_series(1, {notifications}) n; COMMIT"
        )

    def listeners(self):
        return [pid for (pid,) in self.execute(f"SELECT pid {OTHERS} AND query LIKE 'LISTEN%'")]

    @contextlib.contextmanager
    def subscribed(self, wake):
        """Hear what others hear, behind them."""
        database = LegacyDatabaseHook(self.conn_id).get_database()
        unsubscribe = LISTENERS.subscribe(self.conn_id, database, self.channel, wake)
        yield
        unsubscribe()

    def trigger(self, **changed):
        given = {"source_conn_id": self.conn_id, "table": self.table, "channel": self.channel, "poll_interval": HOUR}
        return PendingOutboxTrigger(**{**given, **changed})


class Running:
    """A trigger that runs as in a triggerer, in a thread of its own.

    Attributes:
        looks: how many looks have ended.
        during: called once, in the next look, behind what it saw.
    """

    def __init__(self, trigger):
        self.trigger, self.told, self.looks, self.during = trigger, [], 0, None
        self._look, trigger._probe.look = trigger._probe.look, self._counted
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def _counted(self):
        try:
            return self._look()
        finally:
            self.looks += 1
            call, self.during = self.during, None
            if call is not None:
                call()

    async def _run(self):
        self._task = asyncio.ensure_future(self._listen())
        self._loop = asyncio.get_running_loop()
        try:
            await self._task
        except asyncio.CancelledError:
            await self.trigger.cleanup()

    async def _listen(self):
        async for event in self.trigger.run():
            self.told.append(event.payload)

    def __enter__(self):
        self._as_task = metadata.as_task()
        self._as_task.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()
        self._as_task.__exit__(None, None, None)

    def begun(self):
        """Wait until it listens: it looks when it starts, and once more for what came before it heard."""
        wait_until(lambda: self.looks == 2, "the two looks of a beginning", 180)
        return self

    def hears(self, bound):
        """Wait until it has told that rows wait up to a number."""
        wait_until(lambda: any(one["bound"] == [str(bound)] for one in self.told), f"the event for {bound}")
