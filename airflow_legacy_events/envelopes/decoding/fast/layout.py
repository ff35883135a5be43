"""Layouts: objects of the same members, decoded in C; values keep the text that was written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import astuple

from airflow_legacy_events.envelopes.decoders.objects import repeats
from airflow_legacy_events.envelopes.decoding.fast.plain import PlainMembers

_NO_JSON = (msgspec.DecodeError, ValueError, RecursionError, TypeError)

MOST = 100
"""Members that are learned at most."""

Text = bytes | msgspec.Raw


class Fitting(NamedTuple):
    """Objects that fit a layout.

    Attributes:
        positions: of them among those that were given.
        columns: values of each member, as they were written; `msgspec.UNSET` is absent.
        lacking: positions of the columns that some objects lack.
        plain: positions of the columns that hold texts, and None for null, instead of what was written.
    """

    positions: Sequence[int]
    columns: Sequence[Sequence[Any]]
    lacking: frozenset[int] = frozenset()
    plain: frozenset[int] = frozenset()


NONE = Fitting([], ())


class Layout:
    """Decodes JSON objects that have some of its members and no others.

    Args:
        names: of the members.
        learns: whether a member that an object has besides may be added.
        texts: names of the members that may be given as texts, where all are plain ones; see `PlainMembers`.

    Attributes:
        names: of the members, also learned ones.
    """

    def __init__(self, names: Sequence[str], learns: Callable[[str], bool], texts: Collection[str] = ()) -> None:
        self.names, self._learns = list(dict.fromkeys(names)), learns
        self._plain = PlainMembers([at for at, name in enumerate(self.names) if name in texts])
        self._make()

    def _make(self) -> None:
        plain = self._plain.positions
        self._decode = _decoder(self.names, frozenset())
        self._decode_plain = _decoder(self.names, plain) if plain else _refuse

    def columns(self, texts: Sequence[Text]) -> Fitting:
        """Return the values of the members of the objects that fit."""
        if self._plain.positions and (plain := self._all_plain(texts)) is not None:
            self._plain.succeeded()
            return plain
        while True:
            fitting, found, stranger = self._decoded(texts)
            if stranger is None or not self._learn(texts[stranger]):
                break
        columns: list[Sequence[Any]] = list(zip(*map(astuple, found), strict=True))
        if not columns:  # nothing fits, or there are no members
            return NONE
        some = texts if len(fitting) == len(texts) else [texts[at] for at in fitting]
        strange, lacking = self._strange(some, columns)
        if strange:
            kept = [at for at in range(len(fitting)) if at not in strange]
            fitting, columns = [fitting[at] for at in kept], [[one[at] for at in kept] for one in columns]
        if self._plain.learn(columns):
            self._make()
        return Fitting(fitting, columns, lacking)

    def _all_plain(self, texts: Sequence[Text]) -> Fitting | None:
        """Return the values if all objects fit, and all texts are plain."""
        try:
            columns: list[Sequence[Any]] = list(zip(*map(astuple, map(self._decode_plain, texts)), strict=True))
            expected, lacking = self._length(columns, self._plain.positions)
        except _NO_JSON:
            return None
        if not texts or not _is_as_short(b"".join(texts), expected):
            return None
        return Fitting(range(len(texts)), columns, lacking, self._plain.positions)

    def _decoded(self, texts: Sequence[Text]) -> tuple[list[int], list[Any], int | None]:
        """Return what fits, and the position of the first object that does not."""
        decode, found, fitting, stranger = self._decode, [], [], None
        for at, text in enumerate(texts):
            try:
                found.append(decode(text))
            except _NO_JSON:
                if stranger is None:
                    stranger = at
            else:
                fitting.append(at)
        return fitting, found, stranger

    def _learn(self, text: Text) -> bool:
        """Add the members of an object that may be added; return whether there are any."""
        try:
            names = list(msgspec.json.decode(text, type=dict[str, msgspec.Raw]))
        except _NO_JSON:
            return False
        new = [name for name in names if name not in self.names]
        if not new or len(self.names) + len(new) > MOST or not all(map(self._learns, new)):
            return False
        self.names += new
        self._make()
        return self._decode is not _refuse

    def _strange(
        self, texts: Sequence[Text], columns: Sequence[Sequence[Any]]
    ) -> tuple[frozenset[int], frozenset[int]]:
        """Return the positions of objects that are not as they seem, and of columns that some objects lack.

        These have a member more than once, or are no UTF-8.
        """
        expected, lacking = self._length(columns)
        if _is_as_short(b"".join(texts), expected):
            return frozenset(), lacking
        counts = [sum([one is not msgspec.UNSET for one in row]) for row in zip(*columns, strict=True)]
        pairs = enumerate(zip(texts, counts, strict=True))
        return frozenset(at for at, (text, count) in pairs if _repeats(text, count)), lacking

    def _length(
        self, columns: Sequence[Sequence[Any]], plain: frozenset[int] = frozenset()
    ) -> tuple[int, frozenset[int]]:
        """Return the bytes of all objects without spaces, each member once, and the columns that some objects lack.

        Every other way to write them is longer.

        Raises:
            UnicodeEncodeError: a plain text has half of a surrogate pair.
        """
        expected, lacking = len(columns[0]), set[int]()
        for at, (name, column) in enumerate(zip(self.names, columns, strict=True)):
            measure = _bytes_of_texts if at in plain else _bytes_of_raws
            try:
                size, count = measure(column), len(column)
            except TypeError:
                there = [one for one in column if one is not msgspec.UNSET]
                size, count = measure(there), len(there)
                lacking.add(at)
            expected += size + (len(name.encode()) + 4) * count
        return expected, frozenset(lacking)


def _decoder(names: Sequence[str], plain: frozenset[int]) -> Callable[[Text], Any]:
    """Return a decoder of objects with these members.

    Args:
        names: of the members.
        plain: positions of those that are texts or null; the others are given as they were written.
    """
    types: Sequence[Any] = [str | None if at in plain else msgspec.Raw for at in range(len(names))]
    fields: list[tuple[str, Any, Any]] = [
        (f"f{at}", one | msgspec.UnsetType, msgspec.UNSET) for at, one in enumerate(types)
    ]
    rename = {f"f{at}": name for at, name in enumerate(names)}
    try:
        made = msgspec.defstruct("Object", fields, rename=rename, forbid_unknown_fields=True, gc=False)
    except ValueError:  # a name that a struct can't have
        return _refuse
    return msgspec.json.Decoder(made).decode


def _bytes_of_raws(values: Sequence[Any]) -> int:
    return len(b"".join(values))


def _bytes_of_texts(values: Sequence[Any]) -> int:
    """Return the bytes of plain texts as they were written."""
    try:
        return len("".join(values).encode()) + 2 * len(values)
    except TypeError:  # a null
        texts = [one for one in values if one is not None]
        return len("".join(texts).encode()) + 2 * len(texts) + len("null") * (len(values) - len(texts))


def _is_as_short(joined: bytes, expected: int) -> bool:
    """Whether objects are as short as they can be, and UTF-8."""
    if len(joined) != expected or joined.isascii():
        return len(joined) == expected
    try:
        joined.decode()
    except UnicodeDecodeError:
        return False
    return True


def _repeats(text: Text, count: int) -> bool:
    """Whether an object has a member more than once, or is no JSON after all."""
    try:
        return repeats(text, count)
    except _NO_JSON:
        return True


def _refuse(_text: Text) -> Any:
    raise msgspec.DecodeError("no layout")
