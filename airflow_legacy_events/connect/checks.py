"""Checks of a declared config before it is written: plugin, `validate`, and keys that no plugin knows."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.connect.answers import LONGEST_SHOWN, without
from airflow_legacy_events.connect.builders.jdbc import JDBC_SINK, refuse_unwritable
from airflow_legacy_events.connect.config import CLASS, NAME
from airflow_legacy_events.connect.renamed import PASSED_ON, UNLISTED, named_prefixes, renamed
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.printable import printable

_ALIKE = 0.8
_SUFFIX = "Connector"
_TOLERANT = {"errors.tolerance": "none", "event.processing.failure.handling.mode": "fail"}


@dataclass(frozen=True)
class Verdict:
    """What `validate` says of a config.

    Attributes:
        errors: message for each key that is refused; they may hold secrets.
        known: keys that plugin, converters and transforms know.
        passwords: those of type PASSWORD.
    """

    errors: Mapping[str, Sequence[str]]
    known: frozenset[str]
    passwords: frozenset[str]


def read_verdict(body: Mapping[str, Any]) -> Verdict:
    """Return the verdict in an answer of `validate`; an entry without a value, as Debezium sends, has no errors."""
    errors: dict[str, Sequence[str]] = {}
    definitions = []
    for entry in body.get("configs", ()):
        definition, value = entry.get("definition") or {}, entry.get("value") or {}
        definitions.append(definition)
        if found := [str(one) for one in value.get("errors") or ()]:
            errors[str(value.get("name") or definition.get("name"))] = found
    return Verdict(
        errors,
        frozenset(str(one["name"]) for one in definitions if "name" in one),
        frozenset(str(one["name"]) for one in definitions if one.get("type") == "PASSWORD"),
    )


def refusals(verdict: Verdict, secrets: Collection[str]) -> list[ConfigurationError]:
    """Return an error for each key that `validate` refuses."""
    return [
        ConfigurationError(f"{key!r} is refused: {_cut(printable(without(secrets, ' '.join(one.split()))))}")
        for key, messages in verdict.errors.items()
        for one in messages
    ]


def unwritable(config: Mapping[str, str]) -> list[ConfigurationError]:
    """Return an error where Debezium's JDBC sink could write nothing, which `validate` lets through."""
    if config.get(CLASS) != JDBC_SINK:
        return []
    try:
        refuse_unwritable(config)
    except ConfigurationError as error:
        return [error]
    return []


def plugin_of(config: Mapping[str, str], plugins: Iterable[Mapping[str, Any]]) -> str:
    """Return the full name of the plugin that a config names.

    Raises:
        ConfigurationError: no worker has it; the error lists those that are there.
    """
    wanted, there = config[CLASS].strip(), sorted({str(one["class"]) for one in plugins})
    found = [one for one in there if wanted in (one, *_aliases(one))]
    if not found:
        near = difflib.get_close_matches(wanted, there, 1, _ALIKE)
        raise ConfigurationError(
            f"plugin {wanted!r} is not installed: put it into the workers' plugin.path, or correct {CLASS!r}."
            f"{f' Did you mean {near[0]!r}?' if near else ''} There are {', '.join(there) or 'none'}"
        )
    return found[0]


def with_full_class(config: Mapping[str, str], plugins: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return a config whose class is a full name, where an installed plugin is named by an alias."""
    try:
        return {**config, CLASS: plugin_of(config, plugins)}
    except (ConfigurationError, KeyError):
        return dict(config)


def renamed_keys(config: Mapping[str, str], known: Collection[str]) -> list[ConfigurationError]:
    """Return an error for each key that Debezium renamed: it would be ignored, and every table captured."""
    if not config.get(CLASS, "").startswith("io.debezium."):
        return []
    return [
        ConfigurationError(f"{key!r} is ignored by this Debezium: use {new!r}, its name today")
        for key in config
        if key not in known and (new := renamed(key)) is not None
    ]


def unknown_keys(config: Mapping[str, str], known: Collection[str]) -> dict[str, str | None]:
    """Return the keys that neither the plugin nor the worker knows, each with the known one that it resembles.

    Args:
        config: as declared.
        known: keys that `validate` lists.
    """
    patterns = [re.compile(one.replace("(d+)", r"(\d+)")) for one in known if "(" in one]
    free = (*PASSED_ON, *named_prefixes(config))
    names = [one for one in {*known, *UNLISTED} if "(" not in one]
    found = {}
    for key in sorted(config):
        if key in names or key == NAME or key.startswith(free) or any(one.fullmatch(key) for one in patterns):
            continue
        near = difflib.get_close_matches(key, names, 1, _ALIKE)
        if near or not key.startswith("transforms."):  # a transform may read more than it declares
            found[key] = near[0] if near else None
    return {key: near for key, near in found.items() if renamed(key) is None}


def said_of_unknown(unknown: Mapping[str, str | None]) -> str:
    """Return a sentence about keys that nothing knows."""
    listed = [f"{key!r}{f' (did you mean {near!r}?)' if near else ''}" for key, near in unknown.items()]
    return f"keys that no plugin knows would be ignored: {', '.join(listed)}"


def tolerances(config: Mapping[str, str]) -> list[str]:
    """Return a sentence for each setting by which the connector drops records that fail."""
    return [
        f"{key}={config[key]!r}: the connector drops records that fail, and its offset passes them; {strict!r} is safe"
        for key, strict in _TOLERANT.items()
        if config.get(key, strict).strip().lower() != strict
    ]


def _aliases(name: str) -> tuple[str, ...]:
    short = name.rpartition(".")[2]
    return (short, short.removesuffix(_SUFFIX))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
