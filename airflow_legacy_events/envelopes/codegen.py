"""Code generation: the Python source of one plan's encoder.

Literals and names of the plan enter it only as `repr`, so no part of a name is ever executed as code. Implicit
concatenation joins them with f-strings of numbered variables.

The function expects a regular block and handles the exceptions of its `Variant`. For field 0, `t0` are its texts, `e0`
the texts escaped for the inside of a JSON string, `f0` its JSON forms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from json.encoder import encode_basestring as quoted
from typing import Any, NamedTuple, TypeAlias

from airflow_legacy_events.envelopes.attributes import cleaned_each
from airflow_legacy_events.envelopes.column_codec import Codec
from airflow_legacy_events.envelopes.plan import Member, Plan, Slot

EncodedBlock: TypeAlias = tuple[Sequence[str | None], Sequence[str], Sequence[str]]
"""Keys (None if rows have none), values, and ids if the plan puts them into headers."""

FILLED = {Slot.SOURCE: "source", Slot.TYPE: "type_", Slot.SUBJECT: "subject"}
"""Names of the columns rendered from templates, escaped for the inside of a JSON string."""


class Variant(NamedTuple):
    """Exceptions from regular blocks that one variant of the code handles.

    Attributes:
        nulls: fields that hold NULL and need a test for it.
        subjects: some row has no subject.
        times: some row has no time.
        unclean: some row's key or watermark holds a character forbidden in an attribute.
    """

    nulls: frozenset[int] = frozenset()
    subjects: bool = False
    times: bool = False
    unclean: bool = False


class _Strings:
    """Builder of the code for a list of strings, one for each row."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._names: dict[str, None] = {}

    def literal(self, text: str) -> None:
        if text:
            self._parts.append(repr(text))

    def value(self, name: str, expression: str = "{}") -> None:
        self._names[name] = None
        self._parts.append(f"f'{{{expression.format(name)}}}'")

    def constant(self, name: str) -> None:
        self._parts.append(f"f'{{{name}}}'")

    def code(self) -> str:
        names = ", ".join(self._names)
        text = " ".join(self._parts)
        if text == f"f'{{{names}}}'":
            return names
        return f"[{text} for {names}, in zip({names})]" if names else f"[{text}] * count"


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

    def compile(self, constants: dict[str, Any]) -> Callable[..., EncodedBlock]:
        """Return the function.

        Its parameters are `count, op, counter, number, generation, moments`, the names in `FILLED`, and the columns.
        """
        names = {**constants, "cleaned_each": cleaned_each, "null": "null", "quote": '"', "empty": "", "quoted": quoted}
        exec(compile(self.text(), "<encoder>", "exec"), names)  # noqa: S102  see the module's first paragraph
        return names["encode"]  # type: ignore[no-any-return]

    def text(self) -> str:
        """Return the source."""
        columns = ", ".join(f"t{at}, e{at}, f{at}" for at in range(len(self._plan.fields)))
        filled = ", ".join(FILLED.values())
        given = f"count, op, counter, number, generation, moments, {filled}, {columns}"
        lines = [f"def encode({given}):", *self._keys(), *self._cleaned(), *self._data(), *self._numbers()]
        lines += self._optional("subjects", Slot.SUBJECT, self._subject, absent=self._variant.subjects)
        lines += self._optional("times", Slot.TIME, "moments", absent=self._variant.times)
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
        array, opening = _Strings(), "["
        for at in self._plan.key:
            array.literal(opening + quote)
            array.value(f"e{at}")
            array.literal(quote)
            opening = ","
        array.literal("]")
        return array.code()

    def _data(self) -> list[str]:
        if not self._versioned:
            return []
        data = _Strings()
        self._put_data(data)
        return [f"data = {data.code()}", "sums = checksums(data)"]

    def _put_data(self, data: _Strings) -> None:
        opening = "{"
        for at in self._plan.data:
            data.literal(f"{opening}{quoted(self._plan.fields[at].name)}:")
            self._form(data, at)
            opening = ","
        data.literal("}" if self._plan.data else "{}")

    def _form(self, data: _Strings, at: int) -> None:
        if not self._codecs[at].wrapped:
            data.value(f"f{at}")
        elif at in self._variant.nulls:
            data.value(f"f{at}", 'null if {0} is None else f"{{quote}}{{{0}}}{{quote}}"')
        else:
            data.literal('"')
            data.value(f"f{at}")
            data.literal('"')

    def _optional(self, name: str, slot: Slot, source: str, *, absent: bool) -> list[str]:
        """Return code for an optional member as a separate list, empty for rows without it."""
        for part in self._plan.message:
            if absent and isinstance(part, Member) and part.slot is slot:
                return [f"{name} = [{part.before!r} f'{{one}}' {part.after!r} if one else '' for one in {source}]"]
        return []

    def _numbers(self) -> list[str]:
        """Return code that numbers equal rows, to distinguish rows without a key."""
        if self._plan.key:
            return []
        marks = _Strings()
        self._put_version(marks, "t")
        return [f"numbers = number({marks.code()})"]

    def _id(self, key: str, form: str) -> _Strings:
        text = _Strings()
        self._put_id(text, key, form)
        return text

    def _put_id(self, text: _Strings, key: str, form: str) -> None:
        if self._plan.key:
            text.value(key)
        if self._versioned:
            self._put_version(text, form)
        text.constant("counter")
        if not self._plan.key:
            text.literal(":")
            text.value("numbers")
        text.constant("generation")

    def _put_version(self, text: _Strings, form: str) -> None:
        for place, at in enumerate(self._plan.watermark or [None]):
            text.literal("," if place else "@")
            if at is not None:
                text.value(f"{form}{at}", "empty if {0} is None else {0}" if at in self._variant.nulls else "{}")
        text.literal(":")
        text.value("sums")

    def _message(self) -> _Strings:
        message = _Strings()
        for part in self._plan.message:
            if isinstance(part, str):
                message.literal(part)
            else:
                self._put_member(message, part)
        return message

    def _put_member(self, message: _Strings, member: Member) -> None:
        missing = {Slot.SUBJECT: self._variant.subjects and "subjects", Slot.TIME: self._variant.times and "times"}
        if name := missing.get(member.slot):
            message.value(name)
            return
        absent = {Slot.TIME: self._plan.time is None, Slot.SUBJECT: not self._has_subject}
        if absent.get(member.slot):
            return
        message.literal(member.before)
        if member.slot is Slot.ID:
            self._put_id(message, "inner", "e")
        elif member.slot is Slot.OP:
            message.constant("op")
        elif member.slot is Slot.DATA and not self._versioned:
            self._put_data(message)
        else:
            names = {Slot.SUBJECT: self._subject, Slot.TIME: "moments", Slot.DATA: "data"}
            message.value(names.get(member.slot) or FILLED[member.slot])
        message.literal(member.after)
