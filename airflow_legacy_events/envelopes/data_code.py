"""Code of `data`: the row as one JSON object without the columns that are absent from it, or its old and new image."""

from __future__ import annotations

from collections.abc import Sequence
from json.encoder import encode_basestring as quoted

from airflow_legacy_events.envelopes.column_codec import Codec
from airflow_legacy_events.envelopes.plan import Plan
from airflow_legacy_events.envelopes.strings_code import Strings, Variant

NULL = "null"
TRUNCATED = "t"
_HAS_NO = {"before": "cr", "after": "d"}
"""Operations whose rows have no such image."""


class DataCode:
    """The source of the lines that make the list `data`.

    Args:
        plan: what to write.
        codecs: of its fields.
        variant: exceptions to handle.
    """

    def __init__(self, plan: Plan, codecs: Sequence[Codec], variant: Variant) -> None:
        self._plan, self._codecs, self._variant = plan, codecs, variant

    @property
    def inline(self) -> bool:
        """Whether `put` can write the object into a message: every row has the same members."""
        absent = self._variant.absent.intersection(self._plan.data)
        return not (self._plan.before or self._variant.op == TRUNCATED or absent)

    def lines(self) -> list[str]:
        """Return the lines."""
        if self._variant.op == TRUNCATED:
            return [f"data = [{NULL!r}] * count"]
        if not self._plan.before:
            return self._objects("data", self._plan.data, "{}")
        data, lines, opening = Strings(), list[str](), "{"
        for image, fields, empty in (("before", self._plan.before, NULL), ("after", self._plan.data, "{}")):
            data.literal(f"{opening}{quoted(image)}:")
            lines += self._image(data, image, fields, empty)
            opening = ","
        data.literal("}")
        return [*lines, f"data = {data.code()}"]

    def put(self, text: Strings, fields: Sequence[int]) -> None:
        """Write the object with these fields, at least one of which every row has, or none at all."""
        text.literal("{")
        self._put_members(text, fields)
        text.literal("}")

    def _image(self, data: Strings, image: str, fields: Sequence[int], empty: str) -> list[str]:
        none = _HAS_NO[image]
        if not self._variant.ops and self._variant.op in none:
            data.literal(NULL)
            return []
        data.value(image)
        lines = self._objects(image, fields, empty)
        if self._variant.ops:
            lines.append(f"{image} = [{NULL!r} if of in {none!r} else one for of, one in zip(op, {image})]")
        return lines

    def _objects(self, name: str, fields: Sequence[int], empty: str) -> list[str]:
        """Return code of a list of objects. One without members is `empty`."""
        lines = [f"m{at} = {self._members(place, at, fields)}" for place, at in enumerate(fields) if self._absent(at)]
        text = Strings()
        if fields and self._first(fields) is None:
            self._put_members(text, fields)
            members = f"for one in {text.code()}"
            return [*lines, f"{name} = ['{{' f'{{one[1:]}}' '}}' if one else {empty!r} {members}]"]
        self.put(text, fields)
        return [*lines, f"{name} = {text.code()}"]

    def _put_members(self, text: Strings, fields: Sequence[int]) -> None:
        first = self._first(fields)
        for place, at in enumerate(fields):
            if self._absent(at):
                text.value(f"m{at}")
            else:
                text.literal(("" if place == first else ",") + self._name(place))
                self._form(text, at)

    def _members(self, place: int, at: int, fields: Sequence[int]) -> str:
        """Return the expression of a list of members, each empty where its row has no value.

        The comma is on the side of the first member that every row has; without such a member it stands in front.
        """
        first = self._first(fields)
        before, after = ("", ",") if first is not None and place < first else (",", "")
        before += self._name(place)
        found = f"{before!r} f'{{one}}' {after!r}"
        if self._codecs[at].wrapped:
            null, opening, closing = before + NULL + after, before + '"', '"' + after
            found = f"{null!r} if one is None else {opening!r} f'{{one}}' {closing!r}"
        return f"['' if one is ABSENT else {found} for one in f{at}]"

    def _form(self, text: Strings, at: int) -> None:
        if not self._codecs[at].wrapped:
            text.value(f"f{at}")
        elif at in self._variant.nulls:
            text.value(f"f{at}", 'null if {0} is None else f"{{quote}}{{{0}}}{{quote}}"')
        else:
            text.literal('"')
            text.value(f"f{at}")
            text.literal('"')

    def _name(self, place: int) -> str:
        """Return the name of a member; both images have the same ones."""
        return f"{quoted(self._plan.fields[self._plan.data[place]].name)}:"

    def _absent(self, at: int) -> bool:
        return at in self._variant.absent

    def _first(self, fields: Sequence[int]) -> int | None:
        """Return the place of the first member that every row has."""
        return next((place for place, at in enumerate(fields) if not self._absent(at)), None)
