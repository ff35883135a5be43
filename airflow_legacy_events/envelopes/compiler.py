"""Encoder of a plan: one generated Python function encodes blocks of rows.

The columns of a block are encoded first, each only once. The generated function then builds each message with one
f-string. It expects no NULL among quoted values, a time in every row and no empty key. If a block differs, a variant of
the function is generated that handles it, and used from then on. Values that are absent, and operations that vary, are
left to a variant of their own, which is used for the blocks that need it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from json.encoder import encode_basestring as quoted
from struct import pack
from typing import Any

from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.core.extent import Extent, Measured, extent_of
from airflow_legacy_events.core.model import Batch, Headers, Messages
from airflow_legacy_events.envelopes.attributes import HEADER, attribute_texts, cleaned_each, header_texts, is_clean
from airflow_legacy_events.envelopes.codecs import codec_for
from airflow_legacy_events.envelopes.codegen import FILLED, EncodedBlock, EncoderCode
from airflow_legacy_events.envelopes.column_encoder import EncodedColumn, Values, encode_column
from airflow_legacy_events.envelopes.data_code import TRUNCATED
from airflow_legacy_events.envelopes.plan import Field, FieldTemplate, Member, Plan, Slot
from airflow_legacy_events.envelopes.rendering import header_rows, render
from airflow_legacy_events.envelopes.row_times import RowTimes
from airflow_legacy_events.envelopes.strings_code import Variant
from airflow_legacy_events.envelopes.timestamps import Clock
from airflow_legacy_events.envelopes.tombstones import with_tombstones

try:
    from isal.isal_zlib import crc32  # three times as fast as most builds of zlib
except ImportError:
    from zlib import crc32

BLOCK_ROWS = 1_000
"""Rows that fit into the processor's cache with all their parts: blocks of 10 000 cost a fifth more."""


def compile_plan(plan: Plan) -> Callable[[Batch], Messages]:
    """Return the encoder of a plan; it serves one thread.

    Raises:
        EnvelopeError: from the encoder, if a row can't be encoded.
    """
    return _Encoder(plan).encode


def checksums(data: Sequence[str]) -> list[str]:
    """Return the CRC-32 of each text in UTF-8, in eight hex digits."""
    sums = pack(f">{len(data)}I", *map(crc32, map(str.encode, data)))
    return sums.hex(",", 4).split(",")


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[Sequence[Any]]:
    """Return the columns of a block; slices of one flat list cost half as much as zip()."""
    flat, width = list(chain.from_iterable(rows)), len(rows[0])
    return [flat[at::width] for at in range(width)]


def _inner(texts: Values) -> Values:
    return [None if text is None else quoted(text)[1:-1] for text in texts]


class _Encoder:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        clock = Clock(plan.timezone)
        self._times = RowTimes(clock, naive=plan.formats.times == "naive")
        self._codecs = [
            codec_for(field.kind, clock, plan.formats, field.elements, checked=field.checked) for field in plan.fields
        ]
        self._may_be_empty = {at for at in plan.key if len(plan.key) == 1 and not self._codecs[at].never_empty}
        self._tests_null = {*plan.watermark, *(at for at, found in enumerate(self._codecs) if found.wrapped)}
        self._named = {*plan.key, *plan.watermark}
        names_event = any(isinstance(part, Member) and part.slot is Slot.ID for part in plan.message)
        has_attributes = names_event or any(name.startswith(HEADER) for name, _ in plan.each)
        self._may_be_unclean = {at for at in self._named if has_attributes and not self._codecs[at].plain}
        self._variant, self._absent = Variant(), frozenset[int]()
        self._objects = {*plan.data, *plan.before}
        self._variants: dict[tuple[bool, Variant], Callable[..., EncodedBlock]] = {}

    def encode(self, batch: Batch) -> Messages:
        """Return the messages of a batch, in its order."""
        plan, versioned = self._plan, self._versioned(batch.op)
        keys: list[str | None] = []
        values: list[str] = []
        each: list[Headers] | None = [] if plan.each else None
        timestamps: list[int | None] | None = [] if plan.timestamp is not None else None
        extent = Extent()
        for start in range(0, len(batch.rows), BLOCK_ROWS):
            columns = _columns(batch.rows[start : start + BLOCK_ROWS])
            encoded = [
                self._encode(at, columns[field.position], versioned=versioned) for at, field in enumerate(plan.fields)
            ]
            block, headers = self._block(columns, encoded, batch, _op_of(batch, start))
            keys += block[0]
            values += block[1]
            extent = extent.joined(
                extent_of(block[0] if plan.key else (), block[1])
            )  # while they are in the processor's cache
            if each is not None:
                each += header_rows(headers)
            if timestamps is not None and plan.timestamp is not None:
                field = plan.fields[plan.timestamp]
                timestamps += self._times.milliseconds(field, encoded[plan.timestamp], columns[field.position])
        found = Messages(plan.topic, keys, values, plan.headers, each, timestamps, Measured(extent, keys, values))
        found.everywhere = batch.op == TRUNCATED
        return with_tombstones(found, batch, plan.deletes)

    def _encode(self, at: int, values: Sequence[Any], *, versioned: bool) -> EncodedColumn:
        field = self._plan.fields[at]
        encoded = encode_column(field, self._codecs[at], values)
        if at in self._may_be_unclean and not self._variant.unclean and not is_clean(encoded.texts):
            self._variant = self._variant._replace(unclean=True)
        if not encoded.regular or at in self._may_be_empty:
            self._note_variant(at, field, encoded, versioned=versioned)
        return encoded

    def _block(
        self,
        columns: Sequence[Sequence[Any]],
        encoded: Sequence[EncodedColumn],
        batch: Batch,
        op: str | Sequence[str],
    ) -> tuple[EncodedBlock, list[tuple[str, Values]]]:
        """Return keys, values and ids, and the columns of the headers that vary by row."""
        plan, count = self._plan, len(encoded[0].texts)
        forms: list[Sequence[Any]] = []
        for at, one in enumerate(encoded):
            forms += [one.texts, self._escaped(at, one), one.forms]
        moments = self._moments(columns, encoded)
        unchanged = self._unchanged(encoded)
        filled = {slot: self._fill(slot, template, encoded) for slot, template in plan.templates.items()}
        inner = [_inner(filled[slot]) if slot in filled else None for slot in FILLED]
        versioned = self._versioned(batch.op)
        counter = f":{batch.counter}" if versioned and batch.counter else ""
        generation = f":g{batch.generation}" if batch.generation else ""
        encode = self._compiled(self._variant_of(encoded, op, unchanged), versioned=versioned)
        same = unchanged and _inner(cleaned_each(unchanged))
        block = encode(count, op, counter, self._number(batch), generation, moments, same, *inner, *forms)
        if not plan.each:
            return block, []
        slots: dict[Slot, Values | None] = {
            Slot.ID: block[2],
            Slot.SUBJECT: cleaned_each([key or None for key in block[0]]),
            Slot.TIME: moments and [moment or None for moment in moments],
            Slot.OP: [op] * count if isinstance(op, str) else op,
            Slot.UNCHANGED: unchanged,
            Slot.TRANSACTION: encoded[plan.watermark[0]].texts if plan.watermark else None,
            **filled,
        }
        return block, self._header_columns(slots, encoded)

    def _header_columns(
        self, slots: Mapping[Slot, Values | None], encoded: Sequence[EncodedColumn]
    ) -> list[tuple[str, Values]]:
        """Return the columns of the headers that vary by row."""
        texts = [one.texts for one in encoded]
        return [
            (name, header_texts(name, found))
            for name, part in self._plan.each
            if (found := slots[part] if isinstance(part, Slot) else render(part, texts, len(texts[0]))) is not None
        ]

    def _variant_of(
        self, encoded: Sequence[EncodedColumn], op: str | Sequence[str], unchanged: Values | None
    ) -> Variant:
        """Return the variant of the code that a block needs."""
        absent = {at for at, one in enumerate(encoded) if one.absent and at in self._objects}
        self._absent |= absent
        varies = not isinstance(op, str)
        depends = not varies and (op == TRUNCATED or self._plan.before)
        return self._variant._replace(
            absent=self._absent if absent else frozenset(),
            unchanged=unchanged is not None,
            op=str(op) if depends else "",
            ops=varies,
        )

    def _unchanged(self, encoded: Sequence[EncodedColumn]) -> Values | None:
        """Return the names of columns that each row leaves out because they did not change; None if no row has any."""
        at = self._plan.unchanged
        return None if at is None or not any(encoded[at].texts) else encoded[at].texts

    def _number(self, batch: Batch) -> Callable[[Sequence[str]], Sequence[int]] | None:
        if self._plan.key or self._plan.numbered:
            return None
        if batch.copies is None:
            raise EnvelopeError(
                f"the rows for topic {self._plan.topic!r} have no key columns, and their source does not number those"
                " that are equal; name key columns with key_columns=[...]"
            )
        return batch.copies.number

    def _escaped(self, at: int, encoded: EncodedColumn) -> Sequence[Any]:
        """Return the texts escaped for the inside of a JSON string, if they are needed."""
        if self._codecs[at].wrapped:
            return encoded.forms
        if self._codecs[at].plain or at not in self._named:
            return encoded.texts
        return _inner(encoded.texts)

    def _moments(self, columns: Sequence[Sequence[Any]], encoded: Sequence[EncodedColumn]) -> Values | None:
        if self._plan.time is None:
            return None
        field = self._plan.fields[self._plan.time]
        moments = self._times.of(field, encoded[self._plan.time], columns[field.position])
        if "" in moments:
            self._variant = self._variant._replace(times=True)
        return moments

    def _fill(self, slot: Slot, template: FieldTemplate, encoded: Sequence[EncodedColumn]) -> Values:
        texts = [one.texts for one in encoded]
        found = attribute_texts(slot, [text or None for text in render(template, texts, len(texts[0]))])
        if None not in found:
            return found
        if slot is not Slot.SUBJECT:
            names = ", ".join(repr(self._plan.fields[part].name) for part in template if isinstance(part, int))
            absent = any(encoded[part].absent for part in template if isinstance(part, int))
            raise EnvelopeError(
                f"the event {slot} is built from the column {names}, which is"
                f" {'absent from' if absent else 'NULL or empty in'} a row, but every event"
                f" needs one; no row of its batch was sent. Change event_{slot}=, or"
                f" {'let the log hold whole rows' if absent else 'fill the column with sql='}"
            )
        self._variant = self._variant._replace(subjects=True)
        return found

    def _note_variant(self, at: int, field: Field, encoded: EncodedColumn, *, versioned: bool) -> None:
        """Note values of a column that need another variant of the code."""
        if None in encoded.texts:
            if at in self._plan.key:
                raise EnvelopeError(
                    f"column {field.name!r} is part of the key but {'absent from' if encoded.absent else 'NULL in'} a"
                    " row; no row of its batch was sent. Leave such rows out with sql=, or name other key_columns"
                )
            if at in self._tests_null and (not encoded.absent or None in encoded.forms):
                self._variant = self._variant._replace(nulls=self._variant.nulls | {at})
        if at in self._may_be_empty and "" in encoded.texts:
            if not versioned:
                raise EnvelopeError(
                    f"column {field.name!r} is the key and so the event id, but empty in a row; no row of its batch was"
                    " sent. Leave such rows out with sql=, or name other key_columns"
                )
            if Slot.SUBJECT not in self._plan.templates:
                self._variant = self._variant._replace(subjects=True)

    def _versioned(self, op: str | Sequence[str]) -> bool:
        """Whether event ids need more than the key: rows can change, or the key is not the watermark."""
        return self._plan.numbered or op != "c" or self._plan.watermark not in ((), self._plan.key)

    def _compiled(self, variant: Variant, *, versioned: bool) -> Callable[..., EncodedBlock]:
        if (versioned, variant) not in self._variants:
            code = EncoderCode(self._plan, self._codecs, versioned=versioned, variant=variant)
            self._variants[versioned, variant] = code.compile({"checksums": checksums})
        return self._variants[versioned, variant]


def _op_of(batch: Batch, start: int) -> str | Sequence[str]:
    """Return the operation of the rows of a block, or of each of them if it varies."""
    if isinstance(batch.op, str):
        return str(batch.op)
    ops = batch.op[start : start + BLOCK_ROWS]
    return ops[0] if len(set(ops)) == 1 else ops
