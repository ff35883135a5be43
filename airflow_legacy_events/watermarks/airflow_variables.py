"""Airflow Variables: "never written" and "can't be read" are kept apart.

Airflow also answers "not found" if its API server or database failed. Its client drops or decodes `?`, `#`, `%` and
dots in a name, so two names can become one. Both are prevented here, in a task, from any thread, and in a process of
the deployment.
"""

from __future__ import annotations

import functools
import logging
import os
import re
import sys
from typing import Any

from airflow.sdk import SecretCache, Variable
from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType

from airflow_legacy_events.core import names
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.watermarks.refusals import why

LONGEST_KEY = 250
"""The width of the column that holds a Variable's name."""

ALIVE_KEY = "legacy_events.alive"
ALIVE_TEXT = "written and read back before the absence of another Variable is believed"

_DIGEST_CHARS = 16
_UNSAFE = re.compile(r"[^A-Za-z0-9_.@:-]")
_log = logging.getLogger(__name__)

# Airflow's own database, as reached from a task and from a server.
_OWN_BACKENDS = frozenset({"ExecutionAPISecretsBackend", "MetastoreBackend"})


def variable_key(prefix: str, stream: str) -> str:
    """Return the name of the Variable of `stream`; two streams never share one.

    Characters that a Variable's name can't hold are percent-encoded, with `~` instead of `%`, which Airflow's client
    would decode. A name too long for its column is cut and ends in a hash of the whole.
    """
    key = prefix + _UNSAFE.sub(lambda found: _encoded(found[0]), stream)
    return names.cut(key, LONGEST_KEY, digits=_DIGEST_CHARS)


def stream_of(prefix: str, key: str) -> str:
    """Return the stream whose Variable is `key`; if the name was cut, the remaining part of the key."""
    return re.sub(
        "(?:~[0-9A-F]{2})+", lambda found: bytes.fromhex(found[0].replace("~", "")).decode(errors="replace"), key
    ).removeprefix(prefix)


def read(key: str) -> str | None:
    """Return the text of a Variable, None only if it is proved to be absent.

    Raises:
        WatermarkError: it can't be read, or a secrets backend or environment variable hides it.
    """
    _refuse_shadow(key)
    text = _get(key)
    if text is not None:
        return text
    write(ALIVE_KEY, ALIVE_TEXT)
    _refuse_shadow(ALIVE_KEY)
    if _get(ALIVE_KEY) != ALIVE_TEXT:
        raise WatermarkError(
            f"Variable {key!r} was not found, but neither was {ALIVE_KEY!r}, which had just been written: Airflow's"
            " Variables can't be read at the moment. Nothing was read from the source; a retry continues",
            retry_helps=True,
        )
    return _get(key)


def glance(key: str) -> str | None:
    """Return the text of a Variable in Airflow's own database; None if there is none, or it is unknown.

    No secrets backend is queried: it may be slow, and `read` has done so.
    """
    SecretCache.invalidate_variable(key)
    for backend in _own(in_task=_in_task()):
        try:
            found = backend.get_variable(key=key)
        except Exception:  # noqa: BLE001  `read` reports it
            return None
        return None if found is None else str(found)
    return None


def keys(prefix: str) -> list[str] | None:
    """Return the names of Variables with a prefix; None if this Airflow lists none for a task, as before 3.3.

    Raises:
        WatermarkError: Airflow did not list them.
    """
    if not _in_task():
        return keys_on_a_server(prefix)
    listed = getattr(Variable, "keys", None)
    if listed is None:
        return None
    try:
        return [str(one) for one in listed(prefix=prefix)]
    except Exception as error:
        raise WatermarkError(f"Variables can't be listed: {why(error)}", retry_helps=True) from error


def keys_on_a_server(prefix: str) -> list[str]:
    """Return the sorted names of Variables with a prefix; for a server of the deployment."""
    from airflow.models.variable import Variable as Model  # noqa: PLC0415  loads the whole metadata model
    from airflow.utils.session import create_session  # noqa: PLC0415
    from sqlalchemy import select  # noqa: PLC0415

    with create_session() as session:
        return sorted(session.scalars(select(Model.key).where(Model.key.startswith(prefix, autoescape=True))))


def write(key: str, text: str) -> None:
    """Create or replace a Variable.

    Raises:
        WatermarkError: Airflow did not accept it.
    """
    try:
        _variable().set(key, text)
    except Exception as error:
        raise WatermarkError(f"Variable {key!r} could not be written: {why(error)}", retry_helps=True) from error


def delete(key: str) -> None:
    """Remove a Variable; one that is absent stays absent.

    Raises:
        WatermarkError: Airflow did not delete it.
    """
    try:
        _variable().delete(key)
    except Exception as error:
        raise WatermarkError(f"Variable {key!r} could not be deleted: {why(error)}", retry_helps=True) from error


def _encoded(character: str) -> str:
    return "".join(f"~{byte:02X}" for byte in character.encode())


def _variable() -> Any:
    """Return the class that accesses Variables: in a task through the supervisor, else in the metadata database."""
    if _in_task():
        return Variable
    from airflow.models.variable import Variable as Model  # noqa: PLC0415  loads the whole metadata model

    return Model


def _in_task() -> bool:
    return hasattr(sys.modules.get("airflow.sdk.execution_time.task_runner"), "SUPERVISOR_COMMS")


@functools.cache
def _own(*, in_task: bool) -> tuple[Any, ...]:  # noqa: ARG001  which backend it is depends on it
    """Return Airflow's own backend; cached, because Airflow 3.2 recreates all, including a slow one before it."""
    return tuple(backend for backend in _backends() if type(backend).__name__ in _OWN_BACKENDS)


def _get(key: str) -> str | None:
    SecretCache.invalidate_variable(key)
    try:
        return str(_variable().get(key))
    except Exception as error:
        if _says_absent(error):
            return None
        raise WatermarkError(
            f"Variable {key!r} could not be read: {why(error)}. Nothing was read from the source; a retry continues",
            retry_helps=True,
        ) from error


def _says_absent(error: Exception) -> bool:
    if isinstance(error, AirflowRuntimeError):
        return error.error.error is ErrorType.VARIABLE_NOT_FOUND
    return isinstance(error, KeyError)


def _refuse_shadow(key: str) -> None:
    name = f"AIRFLOW_VAR_{key.upper()}"
    shadow = f"the environment variable {name}" if name in os.environ else _shadowing_backend(key)
    if shadow is not None:
        raise WatermarkError(
            f"{shadow} answers for Variable {key!r} before Airflow's database does, so a watermark would be written to"
            " one place and read from another. Remove it there"
        )


def _shadowing_backend(key: str) -> str | None:
    for backend in _backends():
        name = type(backend).__name__
        if name not in _OWN_BACKENDS and _holds(backend, key):
            return f"the secrets backend {name}"
    return None


def _backends() -> list[Any]:
    from airflow.sdk.execution_time.supervisor import (  # noqa: PLC0415  loaded in every task, slow elsewhere
        ensure_secrets_backend_loaded,
    )

    return list(ensure_secrets_backend_loaded())


def _holds(backend: Any, key: str) -> bool:
    try:
        return backend.get_variable(key=key) is not None
    except Exception as error:  # noqa: BLE001  third-party backend; Airflow tries the next one, too
        _log.warning("secrets backend %s could not be queried for Variable %s: %s", type(backend).__name__, key, error)
        return False
