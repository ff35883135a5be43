"""Millions of rows without a key, a third of which are equal: every copy arrives with a number, and memory stays flat.

In its short form of some thousand rows.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from tests.support.crashes import STREAM
from tests.support.engines import EACH
from tests.support.legacy import legacy_database
from tests.support.profile import LONG

DOUBLED = 21 if LONG else 12
"""Rows that differ are two to the power of it."""

DISTINCT, EQUAL = 2**DOUBLED, 2**DOUBLED // 2
COPIES_BYTES = 24 * DISTINCT
"""What the numbers of rows that differ may take; see `core.copies`."""

SLACK_BYTES = 64 * 2**20


@pytest.fixture(params=EACH)
def legacy(request):
    with legacy_database(request, request.param) as found:
        found.execute("CREATE TABLE t (n integer NOT NULL, line varchar(40))")
        found.execute("INSERT INTO t VALUES (0, 'a line that differs by its number')")
        for power in range(DOUBLED):
            found.execute(f"INSERT INTO t SELECT n + {2**power}, line FROM t")
        found.execute(f"INSERT INTO t SELECT -1, 'the same line' FROM t WHERE n < {EQUAL}")
        yield found


@pytest.mark.parametrize("watermark", [(), ("n",)], ids=["bulk", "by a number"])
def test_every_copy_arrives_with_its_number_and_memory_stays_flat(legacy, watermark):
    rows = equal = numbers = 0
    begun, memory, most = time.monotonic(), 0, 0
    with legacy.source(key_columns=(), watermark_columns=watermark, batch_rows=10_000) as source:
        batches = source.open(None).batches
        encode = None
        for batch in batches:
            if batch.count:
                encode = encode or CloudEventsEnvelope().compile(batch.shape, STREAM)
                found = list(map(_number, encode(batch).values))
                rows += len(found)
                equal += sum(1 for same, _ in found if same)
                numbers += sum(number for same, number in found if same)
                assert watermark or all(number < 4 for same, number in found if not same)
                memory = memory or _resident()
                most = max(most, _resident())
            del batch
    assert (rows, equal) == (DISTINCT + EQUAL, EQUAL)
    assert numbers == EQUAL * (EQUAL + 1) // 2, "copies are counted from 1, each once"
    print(f"{legacy.engine.name} {watermark}: {rows / (time.monotonic() - begun):,.0f} rows/s, {most - memory:,} bytes")
    assert most - memory < COPIES_BYTES + SLACK_BYTES


def _number(value: str) -> tuple[bool, int]:
    """Whether a message is of one of the equal rows, and its number."""
    id_, _, rest = value.removeprefix('{"specversion":"1.0","id":"').partition('","source"')
    return '"n":-1,' in rest, int(id_.rpartition(":")[2])


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
