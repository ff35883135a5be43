"""Layouts: objects of the same members, decoded in C; values keep the text that was written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import astuple

from airflow_legacy_events.envelopes.decoders.objects import repeats

_NO_JSON = (msgspec.DecodeError, ValueError, RecursionError, TypeError)

MOST = 100
"""Members that are learned at most."""

Text = bytes | msgspec.Raw


class Fitting(NamedTuple):
    """Objects that fit a layout.

    Attributes:
        positions: of them among those that were given.
        columns: values of each member; `msgspec.UNSET` is absent.
        lacking: positions of the columns that some objects lack.
    """

    positions: list[int]
    columns: Sequence[Sequence[Any]]
    lacking: frozenset[int] = frozenset()


NONE = Fitting([], ())


class Layout:
    """Decodes JSON objects that have some of its members and no others.

    Args:
        names: of the members.
        learns: whether a member that an object has besides may be added.

    Attributes:
        names: of the members, also learned ones.
    """

    def __init__(self, names: Sequence[str], learns: Callable[[str], bool]) -> None:
        self.names, self._learns = list(dict.fromkeys(names)), learns
        self._make()

    def _make(self) -> None:
        fields: list[tuple[str, Any, Any]] = [
            (f"f{at}", msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for at in range(len(self.names))
        ]
        rename = {f"f{at}": name for at, name in enumerate(self.names)}
        self._decode: Callable[[Text], Any] = _refuse
        try:
            made = msgspec.defstruct("Object", fields, rename=rename, forbid_unknown_fields=True, gc=False)
        except ValueError:  # a name that a struct can't have
            return
        self._decode = msgspec.json.Decoder(made).decode

    def columns(self, texts: Sequence[Text]) -> Fitting:
        """Return the values of the members of the objects that fit."""
        while True:
            fitting, found, stranger = self._decoded(texts)
            if stranger is None or not self._learn(texts[stranger]):
                break
        columns: list[Sequence[Any]] = list(zip(*map(astuple, found), strict=True))
        if not found:
            return Fitting(fitting, columns)
        twice, lacking = self._repeated(texts if len(fitting) == len(texts) else [texts[at] for at in fitting], columns)
        if twice:
            kept = [at for at in range(len(fitting)) if at not in twice]
            fitting, columns = [fitting[at] for at in kept], [[one[at] for at in kept] for one in columns]
        return Fitting(fitting, columns, lacking)

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

    def _repeated(
        self, texts: Sequence[Text], columns: Sequence[Sequence[Any]]
    ) -> tuple[frozenset[int], frozenset[int]]:
        """Return the positions of objects that have a member more than once, and of columns that some objects lack.

        Without spaces and repeated members an object is as short as it can be; so the sum shows whether all are.
        """
        expected, lacking = len(texts), set[int]()
        for at, (name, column) in enumerate(zip(self.names, columns, strict=True)):
            try:
                size, count = len(b"".join(column)), len(column)
            except TypeError:
                there = [one for one in column if one is not msgspec.UNSET]
                size, count = len(b"".join(there)), len(there)
                lacking.add(at)
            expected += size + (len(name.encode()) + 4) * count
        if len(b"".join(texts)) == expected:
            return frozenset(), frozenset(lacking)
        counts = [sum([one is not msgspec.UNSET for one in row]) for row in zip(*columns, strict=True)]
        pairs = enumerate(zip(texts, counts, strict=True))
        return frozenset(at for at, (text, count) in pairs if _repeats(text, count)), frozenset(lacking)


def _repeats(text: Text, count: int) -> bool:
    """Whether an object has a member more than once, or is no JSON after all."""
    try:
        return repeats(text, count)
    except _NO_JSON:
        return True


def _refuse(_text: Text) -> Any:
    raise msgspec.DecodeError("no layout")
