"""Code generation: the Python source of one plan's encoder.

Literals and names of the plan enter it only as `repr`, so no part of a name is ever executed as code. Implicit
concatenation joins them with f-strings of numbered variables.

The function expects a regular block and handles the exceptions of its `Variant`. For field 0, `t0` are its texts, `e0`
the texts escaped for the inside of a JSON string, `f0` its JSON forms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from json.encoder import encode_basestring as quoted
from typing import Any, TypeAlias

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.envelopes.attributes import cleaned_each
from airflow_legacy_events.envelopes.column_codec import Codec
from airflow_legacy_events.envelopes.data_code import DataCode
from airflow_legacy_events.envelopes.plan import Member, Plan, Slot
from airflow_legacy_events.envelopes.strings_code import Strings, Variant

EncodedBlock: TypeAlias = tuple[Sequence[str | None], Sequence[str], Sequence[str]]
"""Keys (None if rows have none), values, and ids if the plan puts them into headers."""

FILLED = {Slot.SOURCE: "source", Slot.TYPE: "type_", Slot.SUBJECT: "subject"}
"""Names of the columns rendered from templates, escaped for the inside of a JSON string."""


class EncoderCode:
    """The Python source of one variant.

    Args:
        plan: what to write.
        codecs: of its fields.
        versioned: whether ids include the version of the row; else only the key.
        variant: exceptions to handle.
    """

    def __init__(self, plan: Plan, codecs: Sequence[Codec], *, versioned: bool, variant: Variant) -> None:
        self._plan, self._codecs, self._versioned, self._variant = plan, codecs, versioned, variant
        self._summed = versioned and not plan.numbered
        self._object = DataCode(plan, codecs, variant)

    def compile(self, constants: dict[str, Any]) -> Callable[..., EncodedBlock]:
        """Return the function.

        Its parameters are `count, op, counter, number, generation, moments, unchanged`, the names in `FILLED`, and the
        columns. `op` is a list if the variant says that it varies.
        """
        names = {**constants, "cleaned_each": cleaned_each, "null": "null", "quote": '"', "empty": "", "quoted": quoted}
        names["ABSENT"] = ABSENT
        exec(compile(self.text(), "<encoder>", "exec"), names)  # noqa: S102  see the module's first paragraph
        return names["encode"]  # type: ignore[no-any-return]

    def text(self) -> str:
        """Return the source."""
        columns = ", ".join(f"t{at}, e{at}, f{at}" for at in range(len(self._plan.fields)))
        filled = ", ".join(FILLED.values())
        given = f"count, op, counter, number, generation, moments, unchanged, {filled}, {columns}"
        lines = [f"def encode({given}):", *self._keys(), *self._cleaned(), *self._data(), *self._numbers()]
        lines += self._optional("subjects", Slot.SUBJECT, self._subject, absent=self._variant.subjects)
        lines += self._optional("times", Slot.TIME, "moments", absent=self._variant.times)
        lines += self._optional("same", Slot.UNCHANGED, "unchanged", absent=self._variant.unchanged)
        lines.append(f"values = {self._message().code()}")
        lines.append(f"ids = {self._id('named', 't').code()}" if self._has_ids else "ids = ()")
        return "\n    ".join([*lines, "return keys, values, ids\n"])

    @property
    def _has_ids(self) -> bool:
        return any(part is Slot.ID for _, part in self._plan.each)

    @property
    def _has_subject(self) -> bool:
        return bool(self._plan.key) or Slot.SUBJECT in self._plan.templates

    @property
    def _subject(self) -> str:
        return FILLED[Slot.SUBJECT] if Slot.SUBJECT in self._plan.templates else "inner"

    def _keys(self) -> list[str]:
        if not self._plan.key:
            return ["keys = [None] * count"]
        if len(self._plan.key) == 1:
            return [f"keys = t{self._plan.key[0]}", f"inner = e{self._plan.key[0]}"]
        keys = self._array('"')
        if all(self._codecs[at].plain for at in self._plan.key):
            inner = self._array('\\"')
            return [f"keys = {keys}", f"inner = {inner}"]
        return [f"keys = {keys}", "inner = [quoted(key)[1:-1] for key in keys]"]

    def _cleaned(self) -> list[str]:
        """Return code that cleans key and watermark texts for attributes; message keys and data stay unchanged."""
        if not self._variant.unclean:
            return ["named = keys"]
        lines = []
        if self._plan.key:
            lines = ["named = cleaned_each(keys)", "inner = [quoted(key)[1:-1] for key in named]"]
        for at in dict.fromkeys(self._plan.watermark):
            lines.append(f"t{at} = cleaned_each(t{at})")
            lines.append(f"e{at} = [None if one is None else quoted(one)[1:-1] for one in t{at}]")
        return lines

    def _array(self, quote: str) -> str:
        array, opening = Strings(), "["
        for at in self._plan.key:
            array.literal(opening + quote)
            array.value(f"e{at}")
            array.literal(quote)
            opening = ","
        array.literal("]")
        return array.code()

    def _data(self) -> list[str]:
        lines = [] if self._object.inline and not self._summed else self._object.lines()
        return [*lines, "sums = checksums(data)"] if self._summed else lines

    def _optional(self, name: str, slot: Slot, source: str, *, absent: bool) -> list[str]:
        """Return code for an optional member as a separate list, empty for rows without it."""
        for part in self._plan.message:
            if absent and isinstance(part, Member) and part.slot is slot:
                return [f"{name} = [{part.before!r} f'{{one}}' {part.after!r} if one else '' for one in {source}]"]
        return []

    def _numbers(self) -> list[str]:
        """Return code that numbers equal rows, to distinguish rows without a key or a number."""
        if self._plan.key or self._plan.numbered:
            return []
        marks = Strings()
        self._put_version(marks, "t")
        return [f"numbers = number({marks.code()})"]

    def _id(self, key: str, form: str) -> Strings:
        text = Strings()
        self._put_id(text, key, form)
        return text

    def _put_id(self, text: Strings, key: str, form: str) -> None:
        if self._plan.key:
            text.value(key)
        if self._versioned:
            self._put_version(text, form)
        text.constant("counter")
        if not self._plan.key and not self._plan.numbered:
            text.literal(":")
            text.value("numbers")
        text.constant("generation")

    def _put_version(self, text: Strings, form: str) -> None:
        for place, at in enumerate(self._plan.watermark or [None]):
            text.literal("," if place else "@")
            if at is not None:
                text.value(f"{form}{at}", "empty if {0} is None else {0}" if at in self._variant.nulls else "{}")
        if self._summed:
            text.literal(":")
            text.value("sums")

    def _message(self) -> Strings:
        message = Strings()
        for part in self._plan.message:
            if isinstance(part, str):
                message.literal(part)
            else:
                self._put_member(message, part)
        return message

    def _put_member(self, message: Strings, member: Member) -> None:
        variant = self._variant
        missing = {
            Slot.SUBJECT: variant.subjects and "subjects",
            Slot.TIME: variant.times and "times",
            Slot.UNCHANGED: variant.unchanged and "same",
        }
        if name := missing.get(member.slot):
            message.value(name)
            return
        absent = {Slot.TIME: self._plan.time is None, Slot.SUBJECT: not self._has_subject, Slot.UNCHANGED: True}
        if absent.get(member.slot):
            return
        message.literal(member.before)
        if member.slot is Slot.ID:
            self._put_id(message, "inner", "e")
        elif member.slot is Slot.OP:
            message.value("op") if variant.ops else message.constant("op")
        elif member.slot is Slot.TRANSACTION:
            message.value(f"e{self._plan.watermark[0]}")
        elif member.slot is Slot.DATA and self._object.inline and not self._summed:
            self._object.put(message, self._plan.data)
        else:
            names = {Slot.SUBJECT: self._subject, Slot.TIME: "moments", Slot.DATA: "data"}
            message.value(names.get(member.slot) or FILLED[member.slot])
        message.literal(member.after)
