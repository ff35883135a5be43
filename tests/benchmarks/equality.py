"""A comparison is fair only if both sides send the same: proved on a sample before anything is measured."""

from __future__ import annotations

from tests.benchmarks import floors, native
from tests.benchmarks.case import CONTENT_TYPE
from tests.benchmarks.legacy.base import POSITION, TABLE
from tests.benchmarks.world import World

SAMPLE = 20_000


def prove(world: World, rows: int) -> None:
    """Send a sample with our operator and with the C pipeline, demand the same bytes, keep it for the C producer."""
    table = world.legacy("postgres").table("orders", rows)
    wanted = min(rows, SAMPLE)
    ours, theirs = world.topics.make(), world.topics.make()
    specification = {"kind": "query", "header": True, "arguments": {"topic": ours, "max_rows": wanted}}
    world.in_airflow(table.connection, specification)
    query = f"SELECT * FROM {TABLE} ORDER BY {', '.join(POSITION)} LIMIT {wanted}"
    floors.run_pipeline(world, table.dsn, query, theirs, CONTENT_TYPE)
    sent, expected = world.topics.read(ours), world.topics.read(theirs)
    if len(sent) != wanted or sent != expected:
        differing = next((pair for pair in zip(sent, expected, strict=False) if pair[0] != pair[1]), None)
        raise RuntimeError(
            f"{len(sent)} of our messages, {len(expected)} of the C pipeline; first that differ: {differing}"
        )
    floors.write_sample(world, sent)
    world.drop(ours)
    world.drop(theirs)


def warm_up(world: World, rows: int) -> None:
    """Let the broker's Java compile what it will run, and the table come into memory."""
    floors.psql_copy(world, rows)
    topic = world.topics.make()
    arguments = [floors.sample_file(world), world.kafka.bootstrap, topic, "500000", floors.BATCH, CONTENT_TYPE]
    floors.processes.run([native.compiled("producer"), *arguments, *native.settings()])
    world.drop(topic)
