"""Encodes blocks of rows by a plan, with one generated Python function per plan.

The columns of a block are encoded first, each once however often it is used; the generated function then pastes each
message together with one f-string. It expects no NULL among quoted values, a time in every row and no empty key.
Where a block differs, a variant that minds it is generated and used from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from struct import pack
from typing import Any
from zlib import crc32

from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.core.model import Batch, Headers, Kind, Messages
from airflow_legacy_events.envelopes.columns import Values, encode_column
from airflow_legacy_events.envelopes.kinds import codec
from airflow_legacy_events.envelopes.moments import Clock, is_rfc3339
from airflow_legacy_events.envelopes.plan import Field, Plan
from airflow_legacy_events.envelopes.source import Block, Source, Unusual

BLOCK_ROWS = 1_000
"""As many as the processor's cache holds with all their parts: 10 000 cost a fifth more."""
_KEPT_DATES = 4_096


def compile_plan(plan: Plan) -> Callable[[Batch], Messages]:
    """Return the encoder of a plan; it serves one thread.

    Raises:
        EnvelopeError: from the encoder, where a row can't be carried.
    """
    return _Encoder(plan).encode


def checksums(data: Sequence[str]) -> list[str]:
    """Return the CRC-32 of each text in UTF-8, in eight hex digits."""
    sums = pack(f">{len(data)}I", *map(crc32, map(str.encode, data)))
    return sums.hex(",", 4).split(",")


def _inner(texts: Values) -> Values:
    return [None if text is None else quoted(text)[1:-1] for text in texts]


class _Encoder:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        clock = Clock(plan.timezone)
        self._midnight = lru_cache(_KEPT_DATES)(clock.instant)
        self._codecs = [codec(field.kind, clock) for field in plan.fields]
        self._escaped = {at for at in (*plan.key, *plan.watermark) if not self._codecs[at].plain}
        self._may_be_empty = {at for at in plan.key if len(plan.key) == 1 and not self._codecs[at].never_empty}
        self._minds_null = {*plan.watermark, *(at for at, found in enumerate(self._codecs) if found.wrapped)}
        self._unusual = Unusual()
        self._variants: dict[tuple[bool, Unusual], Callable[..., Block]] = {}

    def encode(self, batch: Batch) -> Messages:
        """Return the messages of a batch, in its order."""
        keys: list[str] = []
        values: list[str] = []
        each: list[Headers] | None = [] if self._plan.id_header else None
        for start in range(0, len(batch.rows), BLOCK_ROWS):
            block = self._block(batch.rows[start : start + BLOCK_ROWS], batch)
            keys += block[0]
            values += block[1]
            if each is not None:
                each += [(("id", id_),) for id_ in block[2]]
        return Messages(self._plan.topic, keys, values, self._plan.headers, each)

    def _block(self, rows: Sequence[tuple[Any, ...]], batch: Batch) -> Block:
        columns = list(zip(*rows, strict=True))
        forms: list[Values] = []
        moments: Values | None = None
        for at, (field, found) in enumerate(zip(self._plan.fields, self._codecs, strict=True)):
            encoded = encode_column(field, found, columns[field.position])
            if not encoded.usual or at in self._may_be_empty:
                self._look(at, field, encoded.texts, batch.op)
            if at == self._plan.time:
                usual = encoded.usual and field.kind is not Kind.DATE
                moments = encoded.texts if usual else self._moments(field, encoded.texts)
            inner = _inner(encoded.texts) if at in self._escaped else encoded.texts
            forms += [encoded.texts, inner, encoded.forms]
        counter = f":{batch.counter}" if batch.counter else ""
        return self._variant(versioned=batch.op != "c")(len(rows), batch.op, counter, moments, *forms)

    def _look(self, at: int, field: Field, texts: Values, op: str) -> None:
        """Take note of what is not as usual in a column."""
        if None in texts:
            if at in self._plan.key:
                raise EnvelopeError(
                    f"column {field.name!r} is part of the key but NULL in a row; nothing of its batch was sent."
                    " Leave such rows out with sql=, or name other key_columns"
                )
            if at in self._minds_null:
                self._unusual = self._unusual._replace(nulls=self._unusual.nulls | {at})
        if at in self._may_be_empty and "" in texts:
            if op == "c":
                raise EnvelopeError(
                    f"column {field.name!r} is the key and so the event id, but empty in a row; nothing of its batch"
                    " was sent. Leave such rows out with sql=, or name other key_columns"
                )
            self._unusual = self._unusual._replace(keys=True)

    def _moments(self, field: Field, texts: Values) -> Values:
        """The time of each row, empty where it has none that RFC 3339 can write."""
        found = [self._moment(field, text) for text in texts]
        if "" in found:
            self._unusual = self._unusual._replace(times=True)
        return found

    def _moment(self, field: Field, text: str | None) -> str:
        if text is None:
            return ""
        try:
            moment = self._midnight(text) if field.kind is Kind.DATE else text
        except ValueError as error:
            raise EnvelopeError(
                f"column {field.name!r} is to be the time of its events, but a row holds text that is no date; nothing"
                " of its batch was sent. Mend such rows, or leave them out with sql="
            ) from error
        return moment if is_rfc3339(moment) else ""

    def _variant(self, *, versioned: bool) -> Callable[..., Block]:
        wanted = versioned, self._unusual
        if wanted not in self._variants:
            source = Source(self._plan, self._codecs, versioned=versioned, unusual=self._unusual)
            self._variants[wanted] = source.compile({"checksums": checksums})
        return self._variants[wanted]
