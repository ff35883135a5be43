"""Requests of Kafka Connect's REST interface, each as a value that either client sends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from airflow_legacy_events.connect.diff import compare
from airflow_legacy_events.connect.state import RUNNING, Status, read_status

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, kw_only=True)
class Call(Generic[T_co]):
    """One request.

    Attributes:
        method: of HTTP.
        path: with names encoded.
        parse: turns the answer's JSON into the result; None where the answer is a 404 in JSON, or empty.
        params: of the query.
        body: sent as JSON.
        writes: whether it changes something; only then it is not sent again while its outcome is unknown.
        missing: whether a 404 in JSON is a result rather than an error.
        applied: shows whether a write whose outcome is unknown was carried out. Without it such a write is an error.
        secrets: texts that an error must not show.
    """

    method: str
    path: str
    parse: Callable[[Any], T_co]
    params: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    writes: bool = False
    missing: bool = False
    applied: Call[bool] | None = None
    secrets: Collection[str] = ()


def worker() -> Call[dict[str, Any]]:
    """Version, commit and cluster id of a worker."""
    return Call(method="GET", path="/", parse=dict)


def plugins() -> Call[list[dict[str, Any]]]:
    """Connector plugins: ``class``, ``type`` and ``version`` of each."""
    return Call(method="GET", path="/connector-plugins", parse=list)


def validate(plugin: str, config: Mapping[str, str], secrets: Collection[str] = ()) -> Call[dict[str, Any]]:
    """The verdict of a plugin on a config; it changes nothing."""
    path = f"/connector-plugins/{_quoted(plugin)}/config/validate"
    return Call(method="PUT", path=path, body=dict(config), parse=dict, secrets=secrets)


def names() -> Call[list[str]]:
    """Names of all connectors."""
    return Call(method="GET", path="/connectors", parse=list)


def configs() -> Call[dict[str, dict[str, str]]]:
    """Configs of all connectors, by name."""
    return Call(method="GET", path="/connectors", params={"expand": "info"}, parse=_configs)


def states() -> Call[dict[str, Status]]:
    """States of all connectors, by name."""
    return Call(method="GET", path="/connectors", params={"expand": "status"}, parse=_states)


def status(name: str) -> Call[Status | None]:
    """State of a connector and its tasks; None if there is no such connector, or the worker does not know it yet.

    It does not while it is starting, or for seconds after the connector was created: `config` is what knows.
    """
    return Call(method="GET", path=_path(name, "status"), parse=_status, missing=True)


def config(name: str) -> Call[dict[str, str] | None]:
    """Config of a connector; None if there is no such connector. It holds secrets."""
    return Call(method="GET", path=_path(name, "config"), parse=_optional, missing=True)


def task_configs(name: str) -> Call[list[dict[str, str]] | None]:
    """Configs that the tasks of a connector run with; None if there is no such connector. They hold secrets."""
    return Call(method="GET", path=_path(name, "tasks"), parse=_task_configs, missing=True)


def topics(name: str) -> Call[list[str]]:
    """Topics that a connector has used."""
    return Call(method="GET", path=_path(name, "topics"), parse=lambda body: list(body[name]["topics"]))


def create(
    name: str, config: Mapping[str, str], initial_state: str = RUNNING, secrets: Collection[str] = ()
) -> Call[None]:
    """Create a connector.

    Args:
        name: of it.
        config: of it.
        initial_state: running, paused or stopped.
        secrets: texts that an error must not show.
    """
    body = {"name": name, "config": dict(config), "initial_state": initial_state.upper()}
    return Call(
        method="POST",
        path="/connectors",
        body=body,
        parse=_nothing,
        writes=True,
        applied=_has_config(name, config),
        secrets=secrets,
    )


def put_config(name: str, config: Mapping[str, str], secrets: Collection[str] = ()) -> Call[None]:
    """Give a connector a config; it restarts, also if the config is the one that it has."""
    return Call(
        method="PUT",
        path=_path(name, "config"),
        body=dict(config),
        parse=_nothing,
        writes=True,
        applied=_has_config(name, config),
        secrets=secrets,
    )


def set_state(name: str, state: str) -> Call[None]:
    """Request a state: running, paused or stopped."""
    word = {"running": "resume", "paused": "pause", "stopped": "stop"}[state]
    shown = Call(
        method="GET",
        path=_path(name, "status"),
        parse=lambda body: body is not None and read_status(body).connector.state == state.upper(),
        missing=True,
    )
    return Call(method="PUT", path=_path(name, word), parse=_nothing, writes=True, applied=shown)


def restart(
    name: str, *, include_tasks: bool = True, only_failed: bool = True, applied: Call[bool] | None = None
) -> Call[None]:
    """Restart a connector and its tasks.

    Args:
        name: of it.
        include_tasks: False: the connector object alone.
        only_failed: leave alone what is not FAILED.
        applied: see `Call`.
    """
    params = {"includeTasks": str(include_tasks).lower(), "onlyFailed": str(only_failed).lower()}
    path = _path(name, "restart")
    return Call(method="POST", path=path, params=params, parse=_nothing, writes=True, applied=applied)


def restart_task(name: str, task: int, *, applied: Call[bool] | None = None) -> Call[None]:
    """Restart one task."""
    path = _path(name, f"tasks/{task}/restart")
    return Call(method="POST", path=path, parse=_nothing, writes=True, applied=applied)


def offsets(name: str) -> Call[list[dict[str, Any]] | None]:
    """Offsets: ``partition`` and ``offset`` of each; None if there is no such connector.

    Each call makes the worker a consumer of its own, for 60 to 200 ms.
    """
    return Call(method="GET", path=_path(name, "offsets"), parse=_offsets, missing=True)


def alter_offsets(name: str, offsets: Collection[Mapping[str, Any]], applied: Call[bool] | None = None) -> Call[None]:
    """Write offsets of a stopped connector; an ``offset`` of None removes its partition's."""
    body = {"offsets": [dict(one) for one in offsets]}
    path = _path(name, "offsets")
    return Call(method="PATCH", path=path, body=body, parse=_nothing, writes=True, applied=applied)


def reset_offsets(name: str) -> Call[None]:
    """Remove all offsets of a stopped connector."""
    none_left = Call(method="GET", path=_path(name, "offsets"), parse=lambda body: not _offsets(body), missing=True)
    return Call(method="DELETE", path=_path(name, "offsets"), parse=_nothing, writes=True, applied=none_left)


def delete(name: str) -> Call[None]:
    """Delete a connector; one that is not there is no error. Offsets, slot and publication stay."""
    gone = Call(method="GET", path=_path(name, "config"), parse=lambda body: body is None, missing=True)
    return Call(method="DELETE", path=_path(name), parse=_nothing, writes=True, missing=True, applied=gone)


def _path(name: str, rest: str = "") -> str:
    return f"/connectors/{_quoted(name)}{'/' if rest else ''}{rest}"


def _quoted(name: str) -> str:
    return quote(name, safe="")


def _has_config(name: str, config: Mapping[str, str]) -> Call[bool]:
    def has(body: Any) -> bool:
        return body is not None and not compare(body, config).keys

    return Call(method="GET", path=_path(name, "config"), parse=has, missing=True)


def _nothing(_body: Any) -> None:
    return None


def _optional(body: Any) -> dict[str, Any] | None:
    return None if body is None else dict(body)


def _status(body: Any) -> Status | None:
    return None if body is None else read_status(body)


def _task_configs(body: Any) -> list[dict[str, str]] | None:
    return None if body is None else [dict(one["config"]) for one in body]


def _offsets(body: Any) -> list[dict[str, Any]] | None:
    return None if body is None else [dict(one) for one in body["offsets"]]


def _configs(body: Any) -> dict[str, dict[str, str]]:
    return {name: dict(one["info"]["config"]) for name, one in body.items() if "info" in one}


def _states(body: Any) -> dict[str, Status]:
    return {name: read_status(one["status"]) for name, one in body.items() if "status" in one}
