"""What can't be beaten: reading alone, publishing alone, and a C program that does the whole job."""

from __future__ import annotations

import json
import re
import struct
import sys
from dataclasses import replace
from pathlib import Path

from tests.benchmarks import native, processes
from tests.benchmarks.case import CONTENT_TYPE, Case, Result, counted
from tests.benchmarks.legacy.base import CONN_ID, POSITION, TABLE
from tests.benchmarks.processes import ROOT
from tests.benchmarks.world import World
from tests.support.topics import Message

BATCH = "10000"
_ORDERED = f"SELECT * FROM {TABLE} ORDER BY {', '.join(POSITION)}"


def psql_copy(world: World, rows: int) -> Result:
    """Read the ordered table with PostgreSQL's own client and throw it away."""
    table = world.legacy("postgres").table("orders", rows)
    ended = processes.run(
        ["psql", "-X", "-d", table.dsn, "-c", r"\timing on", "-c", rf"\copy ({_ORDERED}) to /dev/null"],
        {"PGOPTIONS": "-c TimeZone=UTC", "LC_ALL": "C.UTF-8"},
    )
    copied, milliseconds = re.search(r"COPY (\d+)", ended.output), re.search(r"Time: ([\d.]+) ms", ended.output)
    if copied is None or milliseconds is None or int(copied[1]) != rows:
        raise RuntimeError(f"psql was to copy {rows} rows, it says {ended.output!r}")
    return Result(rows, float(milliseconds[1]) / 1000, ended.cpu)


def produce(world: World, rows: int, content_type: str) -> Result:
    """Publish real messages from a file."""
    topic = world.topics.make()
    ended = processes.run(
        [
            *(native.compiled("producer"), sample_file(world), world.kafka.bootstrap, topic, str(rows), BATCH),
            *(content_type, *native.settings()),
        ]
    )
    return _result(world, topic, rows, ended)


def pipeline(world: World, rows: int, content_type: str) -> Result:
    """Do the whole job."""
    table = world.legacy("postgres").table("orders", rows)
    topic = world.topics.make()
    return _result(world, topic, rows, run_pipeline(world, table.dsn, _ORDERED, topic, content_type))


def bare(world: World, rows: int, content_type: str) -> Result:
    """Publish the table with a loop made for it."""
    table = world.legacy("postgres").table("orders", rows)
    topic = world.topics.make()
    ended = processes.run(
        [
            *(sys.executable, "-m", "tests.benchmarks.bare", table.dsn, _ORDERED, world.kafka.bootstrap, topic),
            *(content_type, *native.settings()),
        ],
        cwd=ROOT,
    )
    found = _result(world, topic, rows, ended)
    return replace(found, cpu=json.loads(ended.output)["cpu"])


def run_pipeline(world: World, dsn: str, query: str, topic: str, content_type: str) -> processes.Ended:
    """Send what a query gives to a topic."""
    return processes.run(
        [
            native.compiled("pipeline"),
            dsn,
            f"COPY ({query}) TO STDOUT",
            f"/{CONN_ID}/{TABLE}",
            f"{CONN_ID}.{TABLE}.changed",
            *(world.kafka.bootstrap, topic, BATCH, content_type, *native.settings()),
        ]
    )


def sample_file(world: World) -> Path:
    """Where `write_sample` puts the messages that the C producer sends."""
    return world.home / "messages"


def write_sample(world: World, messages: list[Message]) -> None:
    """Keep messages as the C producer reads them."""
    with sample_file(world).open("wb") as file:
        for message in messages:
            key, value = (message.key or "").encode(), (message.value or "").encode()
            file.write(struct.pack("=II", len(key), len(value)) + key + value)


def _result(world: World, topic: str, rows: int, ended: processes.Ended) -> Result:
    counted(world, topic, rows)
    said = json.loads(ended.output)
    return Result(said["rows"], said["seconds"], ended.cpu, said["rss_mb"])


def _with_header(name: str, title: str, run: object, database: str | None = None) -> list[Case]:
    return [
        Case(name, f"{title}, no header", lambda world, rows: run(world, rows, ""), database),
        Case(f"{name}-header", title, lambda world, rows: run(world, rows, CONTENT_TYPE), database),
    ]


CASES = [
    Case("psql-copy", r"floor: psql `\copy` of the ordered query", psql_copy, "postgres"),
    *_with_header("c-producer", "floor: C producer", produce),
    *_with_header("c-pipeline", "C pipeline, the whole job", pipeline, "postgres"),
    *_with_header("bare", "bare Python loop without ids and checks", bare, "postgres"),
]
