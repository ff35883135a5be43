"""Encoder of one shape: each column of a batch is encoded once, then the messages are put together."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring as quoted
from typing import Any

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.core.model import ENDED, STARTED, Batch, Messages, Stream
from airflow_legacy_events.envelopes.data_code import NULL
from airflow_legacy_events.envelopes.json_column import Forms, JsonColumn
from airflow_legacy_events.envelopes.json_objects import Image, template
from airflow_legacy_events.envelopes.maxwell.heads import Heads, loaded
from airflow_legacy_events.envelopes.maxwell.values import codec_of
from airflow_legacy_events.envelopes.plan import Deletes
from airflow_legacy_events.envelopes.row_headers import RowHeaders
from airflow_legacy_events.envelopes.tombstones import with_tombstones

_TYPES = {
    "c": "insert",
    "u": "update",
    "d": "delete",
    "r": "bootstrap-insert",
    STARTED: "bootstrap-start",
    ENDED: "bootstrap-complete",
}
_UPDATE = "u"
_MARKS = (STARTED, ENDED)


class Encoder:
    """Makes the messages of one shape; it serves one thread.

    Args:
        shape: of the rows.
        stream: whose messages they are.
    """

    def __init__(self, shape: Shape, stream: Stream) -> None:
        self._shape, self._topic = shape, stream.topic
        self._deletes = Deletes.BOTH if stream.tombstones else Deletes.ROW
        self._headers = RowHeaders(shape, stream)
        used = dict.fromkeys((*shape.data, *shape.key))
        self._columns = {
            at: JsonColumn(shape.columns[at], codec_of(shape.columns[at], stream.product))
            for at in (*used, *shape.before)
        }
        self._used = tuple(used)
        self._data = Image(shape.named(shape.data), shape.data)
        self._olds = [f"{quoted(name)}:" for name in shape.named(shape.data)]
        names = shape.named(shape.key)
        self._names = f"[{','.join(map(quoted, names))}]"
        self._head = f'{{"database":{quoted(stream.schema)},"table":{quoted(stream.table)}'
        self._key = template(["database", "table", *(f"pk.{name.lower()}" for name in names)])
        self._table = (quoted(stream.schema), quoted(stream.table))

    def encode(self, batch: Batch) -> Messages:
        """Return the messages of a batch, in its order.

        An UPDATE of the key is one message, as far as both rows that were made of it are in the batch.

        Raises:
            EnvelopeError: a row can't be encoded.
        """
        if batch.op in _MARKS:
            return self._mark(batch)
        columns = list(zip(*batch.rows, strict=True))
        ops = [batch.op] * batch.count if isinstance(batch.op, str) else list(batch.op)
        heads = Heads(self._shape, batch, columns) if self._shape.watermark else None
        partners = {} if heads is None else heads.partners()
        forms = {at: self._columns[at].of(columns[at]) for at in self._used}
        olds = self._old_members(forms, columns, ops, partners)
        ops = [_UPDATE if at in partners else op for at, op in enumerate(ops)]
        keys, values = self._keys(forms), self._values(forms, ops, olds, heads)
        each = self._headers.each(columns, {})
        found = with_tombstones(Messages(self._topic, keys, values, self._headers.fixed, each), batch, self._deletes)
        return _without(found, frozenset(partners.values())) if partners else found

    def _values(
        self, forms: Mapping[int, Forms], ops: Sequence[str], olds: Sequence[str], heads: Heads | None
    ) -> list[str]:
        count = len(ops)
        texts = loaded(count) if heads is None else heads.texts()
        rows = self._data.texts(_present(forms, self._shape.data)) if self._shape.data else ["{}"] * count
        own = [",".join(map(str, parts)) for parts in zip(*(forms[at] for at in self._shape.key), strict=True)]
        return [
            f'{self._head},"type":"{_TYPES[op]}",{head},"primary_key":[{key}],"primary_key_columns":{self._names},'
            f'"data":{row}{old}}}'
            for op, head, key, row, old in zip(ops, texts, own or [""] * count, rows, olds, strict=True)
        ]

    def _old_members(
        self,
        forms: Mapping[int, Forms],
        columns: Sequence[Sequence[Any]],
        ops: Sequence[str],
        partners: Mapping[int, int],
    ) -> list[str]:
        """Return the member `old` of each row: the columns whose value changed."""
        found = [""] * len(ops)
        if not self._shape.before or not (partners or _UPDATE in ops):
            return found
        pairs = [
            (name, forms[new], self._columns[old].of(columns[old]))
            for name, new, old in zip(self._olds, self._shape.data, self._shape.before, strict=True)
        ]
        for at, op in enumerate(ops):
            if at in partners:
                changed = [(name, new[partners[at]], new[at]) for name, new, _ in pairs]
            elif op == _UPDATE:
                changed = [(name, old[at], new[at]) for name, new, old in pairs]
            else:
                continue
            members = ",".join([f"{name}{old}" for name, old, new in changed if old is not None and old != new])
            found[at] = f',"old":{{{members}}}' if members else ""
        return found

    def _keys(self, forms: Mapping[int, Forms]) -> list[str]:
        for at in self._shape.key:
            if None in forms[at] or NULL in forms[at]:
                what = "absent from" if None in forms[at] else "NULL in"
                raise EnvelopeError(
                    f"column {self._shape.columns[at].name!r} is part of the key but {what} a row; no row of its batch"
                    " was sent. Name other key_columns"
                )
        parts = zip(*(forms[at] for at in self._shape.key), strict=True)
        return [self._key % (*self._table, *part) for part in parts]

    def _mark(self, batch: Batch) -> Messages:
        """Return the beginning or the end of a table's snapshot, for each partition."""
        started = batch.op == STARTED
        pairs = len(self._shape.key) if started else 0
        named = self._names if started else "[]"
        nulls = ",".join([NULL] * pairs)
        value = (
            f'{self._head},"type":"{_TYPES[str(batch.op)]}",{loaded(1)[0]},"primary_key":[{nulls}],'
            f'"primary_key_columns":{named},"data":{{}}}}'
        )
        key = self._key % (*self._table, *[NULL] * pairs) if started else self._end_key(batch)
        return Messages(self._topic, [key], [value], self._headers.fixed, everywhere=True)

    def _end_key(self, batch: Batch) -> str:
        """Return the key of a table without a key: one of its own for each message, here for each snapshot."""
        name = uuid.uuid5(uuid.NAMESPACE_OID, f"{self._table}{batch.counter}")
        return template(["database", "table", "_uuid"]) % (*self._table, quoted(str(name)))


def _present(forms: Mapping[int, Forms], data: Sequence[int]) -> dict[int, Sequence[str]]:
    """Return the JSON of each value; the binlog and a snapshot have all of them."""
    return {at: [one or NULL for one in forms[at]] for at in data}


def _without(found: Messages, merged: frozenset[int]) -> Messages:
    """Return messages without those of rows that others stand for, but with their tombstones."""
    rows = range(len(found.values)) if found.rows is None else found.rows
    kept = [at for at, row in enumerate(rows) if row not in merged or found.values[at] is None]
    return Messages(
        found.topic,
        [found.keys[at] for at in kept],
        [found.values[at] for at in kept],
        found.headers,
        None if found.each is None else [found.each[at] for at in kept],
        rows=[rows[at] for at in kept],
        merged=merged.difference(rows[at] for at in kept),
    )
