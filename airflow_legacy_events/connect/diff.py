"""Difference between the config that a connector has and the declared one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from airflow_legacy_events.connect.config import CLASS, NAME, entries, is_debezium_source
from airflow_legacy_events.connect.secrets import is_masked, shown

_LISTS = {
    "table.include.list": "{}",
    "collection.include.list": "{}",
    "schema.include.list": "{}.*",
    "database.include.list": "{}.*",
}
_MODES_THAT_SNAPSHOT = ("always",)


@dataclass(frozen=True)
class Difference:
    """What a write would change.

    Attributes:
        live: values that would be replaced or removed, by key; they may be secrets.
        declared: values that would be set, by key; they may be secrets.
        masked: keys whose live value is hidden by the worker, so that it is not known.
    """

    live: Mapping[str, str]
    declared: Mapping[str, str]
    masked: tuple[str, ...] = ()

    @property
    def keys(self) -> list[str]:
        """Return the keys that differ, sorted."""
        return sorted({*self.live, *self.declared})

    def to_dict(self, passwords: Collection[str] = ()) -> dict[str, dict[str, str | None]]:
        """Return ``{key: {live, declared}}``, with ``***`` for secrets, and None for what is absent.

        Args:
            passwords: keys that the plugin declares as passwords.
        """
        return {
            key: {
                "live": shown(key, self.live.get(key), passwords),
                "declared": shown(key, self.declared.get(key), passwords),
            }
            for key in self.keys
        }


def compare(live: Mapping[str, str] | None, declared: Mapping[str, str]) -> Difference:
    """Return the difference between two configs, without the key ``name``.

    Args:
        live: the connector's; None if there is no such connector.
        declared: as `config.read_config` returns it.
    """
    has = {key: value for key, value in (live or {}).items() if key != NAME}
    masked = {key for key, value in has.items() if is_masked(value) and key in declared}
    changed = {key for key, value in declared.items() if has.get(key) != value} - masked
    return Difference(
        {key: value for key, value in has.items() if key in changed or key not in declared},
        {key: declared[key] for key in changed},
        tuple(sorted(masked)),
    )


def not_snapshotted(live: Mapping[str, str] | None, declared: Mapping[str, str]) -> list[str]:
    """Return the tables that an existing Debezium connector would begin to capture without their rows of today.

    Debezium takes a snapshot once, when a connector begins.

    Args:
        live: the connector's config; None if there is no such connector.
        declared: the config that it gets.
    """
    if live is None or not is_debezium_source(declared) or live.get(CLASS) != declared[CLASS]:
        return []
    if declared.get("snapshot.mode") in _MODES_THAT_SNAPSHOT:
        return []
    added = []
    for key, form in _LISTS.items():
        before = entries(live.get(key))
        if before:  # without a list, all were captured
            added += [form.format(one) for one in entries(declared.get(key)) if one not in before]
    return added


def lines_of(diff: Mapping[str, Mapping[str, str | None]]) -> str:
    """Return a difference as lines for a person.

    Args:
        diff: as `Difference.to_dict` returns it.
    """
    return "\n".join(f"{key}: {_word(one['live'])} -> {_word(one['declared'])}" for key, one in diff.items())


def _word(value: str | None) -> str:
    return "absent" if value is None else repr(value)
