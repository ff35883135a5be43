"""Messages for decoding tests, and what they become."""

from __future__ import annotations

import json
from typing import Any

from airflow_legacy_events.core.columns import ABSENT, Kind, Shape
from airflow_legacy_events.core.model import Batch, Stream, Watermark
from airflow_legacy_events.core.model.changes import Changes, Received, TargetColumn, TargetShape
from airflow_legacy_events.envelopes.decoding.decoding import Decoding
from airflow_legacy_events.envelopes.decoding.options import DecodingOptions
from tests.support.fake_target import FakeTarget

NOTHING = Shape((), (), ())
STREAM = Stream("s", "t", "", "")


def table(called: str = "t", /, key: tuple[int, ...] = (0,), **columns: TargetColumn | Kind) -> TargetShape:
    """Return the shape of a table; a kind alone is a column without limits."""
    found = [
        one._replace(name=name) if isinstance(one, TargetColumn) else TargetColumn(name, one, one.value)
        for name, one in columns.items()
    ]
    return TargetShape(called, tuple(found), key)


def text(value: Any) -> bytes | None:
    """Return the bytes of a text, of JSON for anything else, None for None; a lone surrogate is a byte of its own."""
    if value is None or isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).encode(errors="surrogateescape")


def received(*messages: Any, topic: str = "a.t", first: int = 0) -> Received:
    """Return messages, each `(key, value)` or with partition, headers, topic behind them."""
    rows = [(*one, *(0, (), topic)[len(one) - 2 :]) for one in messages]
    headers = [tuple((name, text(value)) for name, value in row[3]) for row in rows]
    count = len(rows)
    return Received(
        [row[4] for row in rows],
        [row[2] for row in rows],
        list(range(first, first + count)),
        [text(row[0]) for row in rows],
        [text(row[1]) for row in rows],
        headers,
        [1_767_323_045_123] * count,
    )


def batch(found: Received) -> Batch:
    """Return the batch of a topic that holds messages."""
    return Batch(NOTHING, found, len(found), Watermark((), None, {}), "c")  # type: ignore[arg-type]


def step(decoder: Any, target: FakeTarget, **options: Any) -> Any:
    """Return the decoding step of one run."""
    made = DecodingOptions(**{"table": "t", **options})
    made.check(schemaless=True)
    return Decoding(decoder, target, made)  # type: ignore[arg-type]


def decoded(decoder: Any, shape: TargetShape, *messages: Any, **options: Any) -> Changes:
    """Return what messages change in a table."""
    found = step(decoder, FakeTarget(shapes={shape.table: shape}), **options)
    found.open()
    return found.compile(NOTHING, STREAM)(batch(received(*messages)))


def rows(changes: Changes, name: str = "t") -> list[tuple[str, dict[str, Any]]]:
    """Return op and values of each change; absent ones are left out."""
    found = changes.tables[name]
    names = [one.name for one in found.shape.columns]
    return [
        (op, {one: value for one, value in zip(names, row, strict=True) if value is not ABSENT})
        for op, row in zip(found.ops, found.rows, strict=True)
    ]


def poison(changes: Changes) -> list[tuple[int, str]]:
    """Return place and error of each message that can't be applied."""
    return [(one.place, one.error) for one in changes.poison]
