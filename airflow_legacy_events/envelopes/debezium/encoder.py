"""Encoder of one shape: each column of a batch is encoded once, then the messages are put together."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.core.model import Batch, LogNotes, Messages, Stream
from airflow_legacy_events.envelopes.data_code import NULL, TRUNCATED
from airflow_legacy_events.envelopes.debezium.binlog_source import CONNECTORS, BinlogSource
from airflow_legacy_events.envelopes.debezium.source import Source, times
from airflow_legacy_events.envelopes.debezium.values import ColumnForms
from airflow_legacy_events.envelopes.json_column import Forms
from airflow_legacy_events.envelopes.json_objects import Image, template
from airflow_legacy_events.envelopes.plan import Deletes
from airflow_legacy_events.envelopes.row_headers import RowHeaders
from airflow_legacy_events.envelopes.tombstones import DELETED, with_tombstones

UPDATED = "u"
NEW_KEY, OLD_KEY = "__debezium.newkey", "__debezium.oldkey"
"""Headers that name the other key of a row whose key changed."""


class Encoder:
    """Makes the messages of one shape; it serves one thread.

    Args:
        shape: of the rows.
        stream: whose messages they are.
        name: logical name of the server.
        precise: whether decimals are bytes; else texts.
    """

    def __init__(self, shape: Shape, stream: Stream, name: str, *, precise: bool) -> None:
        self._shape, self._topic = shape, stream.topic
        self._deletes = Deletes.ROW if stream.tombstones is False else Deletes.BOTH
        self._headers = RowHeaders(shape, stream, (NEW_KEY, OLD_KEY))
        binlog = stream.product in CONNECTORS
        self._source = (BinlogSource if binlog else Source)(stream, name)
        used = dict.fromkeys((*shape.data, *shape.before, *shape.key))
        self._forms = {at: ColumnForms(shape.columns[at], precise=precise, binlog=binlog) for at in used}
        self._used = tuple(dict.fromkeys((*shape.data, *shape.key)))
        names = shape.named(shape.data)
        self._row = Image(names, shape.data)
        self._old = Image(names, shape.before) if shape.before else None
        self._key = template(shape.named(shape.key))

    def encode(self, batch: Batch) -> Messages:
        """Return the messages of a batch, in its order.

        Raises:
            EnvelopeError: a row can't be encoded.
        """
        columns = list(zip(*batch.rows, strict=True))
        ops = [batch.op] * batch.count if isinstance(batch.op, str) else batch.op
        forms = {at: self._forms[at].of(columns[at]) for at in self._used}
        keys = self._keys(forms, batch.count)
        values = self._values(forms, self._olds(columns, ops), ops, self._source.blocks(self._shape, batch, columns))
        each = self._headers.each(columns, self._moved(batch, columns, ops))
        found = Messages(self._topic, keys, values, self._headers.fixed, each)
        found.everywhere = batch.op == TRUNCATED
        return with_tombstones(found, batch, self._deletes)

    def _values(
        self, forms: Mapping[int, Forms], old: Sequence[str], ops: Sequence[str], sources: Sequence[str]
    ) -> list[str]:
        empty = [NULL if op == DELETED else None for op in ops]
        rows: Sequence[str] = [NULL] * len(ops)
        if self._shape.data:
            rows = self._row.texts({at: self._forms[at].filled(forms[at], empty) for at in self._shape.data})
        before = [row if op == DELETED else one for row, one, op in zip(rows, old, ops, strict=True)]
        after = [NULL if op == DELETED else row for row, op in zip(rows, ops, strict=True)]
        now = ",".join(times(time.time_ns()))
        made = f'{{"before":%s,"after":%s,"source":%s,"transaction":null,"op":"%s",{now}}}'
        return [made % parts for parts in zip(before, after, sources, ops, strict=True)]

    def _olds(self, columns: Sequence[Sequence[Any]], ops: Sequence[str]) -> Sequence[str]:
        """Return the old row of each update that the log has as a whole; null of all others."""
        if self._old is None or UPDATED not in ops:
            return [NULL] * len(ops)
        forms = {at: self._forms[at].of(columns[at]) for at in self._shape.before}
        whole = self._old.whole(forms)
        empty = [NULL] * len(ops)
        texts = self._old.texts({at: self._forms[at].filled(forms[at], empty) for at in forms})
        return [text if known and op == UPDATED else NULL for text, known, op in zip(texts, whole, ops, strict=True)]

    def _keys(self, forms: Mapping[int, Forms], count: int) -> list[str | None]:
        if not self._shape.key:
            return [None] * count
        for at in self._shape.key:
            if None in forms[at] or NULL in forms[at]:
                what = "absent from" if None in forms[at] else "NULL in"
                raise EnvelopeError(
                    f"column {self._shape.columns[at].name!r} is part of the key but {what} a row; no row of its batch"
                    " was sent. Name other key_columns"
                )
        return [self._key % part for part in zip(*(forms[at] for at in self._shape.key), strict=True)]

    def _moved(self, batch: Batch, columns: Sequence[Sequence[Any]], ops: Sequence[str]) -> dict[int, tuple[str, str]]:
        """Return the header that names the other key, by the place of each row whose key changed."""
        notes = batch.notes or LogNotes()
        if not notes.moved or not self._shape.watermark:
            return {}
        marks = list(zip(*(columns[at] for at in self._shape.watermark), strict=True))
        others = {at: notes.moved[mark] for at, mark in enumerate(marks) if mark in notes.moved}
        if not others:
            return {}
        values = list(zip(*others.values(), strict=True))
        keys = self._keys({at: self._forms[at].of(values[at]) for at in self._shape.key}, len(others))
        return {
            at: (NEW_KEY if ops[at] == DELETED else OLD_KEY, str(key)) for at, key in zip(others, keys, strict=True)
        }
