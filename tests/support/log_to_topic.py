"""A change log that is read into a topic in memory, as the operator sends it."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.sources.changelog import ChangeLogSource
from tests.support.crashes import STREAM, World
from tests.support.log_runs import LogProcess, SteppedBroker, ended
from tests.support.slots import LoggedDatabase


def send_log(logged: LoggedDatabase, world: World, broker: MemoryBroker, topic: str, envelope: Any) -> None:
    """Run a stream once; its options are those of the database's own stream.

    Args:
        logged: the database.
        world: what the runs before left.
        broker: that gets the messages.
        topic: of all tables.
        envelope: of the messages.
    """
    source = ChangeLogSource(
        database=logged.legacy.database(60.0),
        options=logged.options,
        stream=STREAM._replace(topic=topic),
        source="shop",
        tables=logged.patterns,
        images="both" if logged.before else "after",
    )
    process = LogProcess(world, source, None, float)
    process.broker, process.envelope = SteppedBroker(process, broker), envelope
    process.relay.stream = STREAM._replace(topic=topic)
    with closing(source.database), closing(source):
        try:
            process.run()
        finally:
            ended()
