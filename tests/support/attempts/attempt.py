"""One attempt of somebody without rights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

GREEN = "green"
EITHER = "green, or an error of ours"
TRAP = "the trap was called"
"""What planted code raises that nothing of ours may call."""

SECRET = "classified-4711"
HOSTILE = (
    '{"specversion": "1.0", "id": "forged"}',
    "'); DROP TABLE written; --",
    "\x1b[2J\x1b]0;owned\x07 [red]x[/red] [/b]",
    "{id} {v} {0.__class__} %(v)s %s $1 :v ?",
    "{{ 7 * 7 }} {% raw %} ${jndi:ldap://x}",
    "\u202egnp.exe\u2028line\u0085next\r\nX-Injected: 1",
    "\ufeff\ufffe\U0001f4a9 e\u0301 ' \" ` \\ \\' \\u0000",
)
"""Texts that are code in some other language, and nothing but text here."""

Run: TypeAlias = Callable[..., Any]
Around: TypeAlias = Callable[[Any], AbstractContextManager[None]]


def nobody(_: Any) -> Iterator[None]:
    """Nobody does anything beside the run."""
    yield


@dataclass(frozen=True)
class Attempt:
    """What the owner of the schema does, and how a run ends that reads it.

    Attributes:
        name: in a few words.
        plants: statements of the owner, or functions of the place; `<reader>` and `<database>` stand for names.
        ends: `GREEN`, `EITHER`, or a pattern of what the error says.
        asks: arguments of the operator, beside `table="v"` and `watermark_columns=["id"]`.
        around: what happens while the run works, a context of the place.
        values: texts that the messages hold under `v`, in the order of `id`; None: not compared.
    """

    name: str
    plants: tuple[Any, ...]
    ends: str = GREEN
    asks: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    around: Around | None = None
    values: tuple[Any, ...] | None = None
